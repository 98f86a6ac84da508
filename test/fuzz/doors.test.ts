import { afterAll, beforeAll, expect, test } from 'vitest'
import { Rig } from './rig.ts'

/** Bad input that a fuzz run may pass by, each as a case of its own. */
let rig: Rig
beforeAll(async () => {
  rig = await Rig.open()
})
afterAll(() => rig.close())

const QUIET_MS = 300
const HOST = 'Host: localhost'
const AUTHORIZATION = 'Authorization: TOKEN'

/** The server answers others as before, and nothing has changed. */
async function expectUnharmed(attack: () => Promise<unknown>): Promise<void> {
  const before = await rig.fingerprint()
  await attack()
  const health = await rig.http.app.inject({ url: '/health', headers: { host: 'localhost' } })
  expect(health.statusCode).toBe(200)
  expect(await rig.fingerprint()).toBe(before)
  expect(rig.logged.splice(0)).toEqual([])
}

const raw = (lines: string[], body = '') =>
  rig.raw(`${lines.join('\r\n')}\r\n\r\n${body}`, QUIET_MS)

for (const target of ['//', 'http://', '/\\', '*', '/v1/socket/%']) {
  test(`contract §8: an upgrade of "${target}" without a token does not end the server`, () =>
    expectUnharmed(() =>
      raw([`GET ${target} HTTP/1.1`, HOST, 'Upgrade: websocket', 'Connection: Upgrade']),
    ))
}

test('contract §8: a call whose operation is no name is refused, whatever it is', () =>
  expectUnharmed(async () => {
    for (const name of [{ toString: 1 }, null, 7, [], { __proto__: null }, '__proto__']) {
      const socket = await rig.socket('agent-a')
      const answer = await socket.ask(['call', name, {}])
      expect(answer?.[2]).toMatchObject({ code: 'invalid_request' })
    }
  }))

test('contract §8: frames that are no MessagePack, or of something else, end that connection only', () =>
  expectUnharmed(async () => {
    for (const bytes of [
      [],
      [0xc1],
      [0x93, 1],
      [0x80],
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0x91, 0xc0],
    ]) {
      const socket = await rig.socket('agent-b')
      await socket.frame(Uint8Array.from(bytes))
    }
  }))

test('files §7: an upload whose client leaves in the middle writes nothing, with and without a length', () =>
  expectUnharmed(async () => {
    const put = ['PUT /v1/workspaces/main/files/half HTTP/1.1', HOST, AUTHORIZATION]
    await raw([...put, 'Content-Length: 1000'], 'half of it')
    await raw([...put, 'Transfer-Encoding: chunked'], '5\r\nhello\r\n5\r\nwo')
    await raw([...put, 'Transfer-Encoding: chunked'], 'zz\r\nhello\r\n')
    await raw([...put, 'Content-Length: 3', 'Transfer-Encoding: chunked'], '0\r\n\r\n')
  }))

test('contract §6: headers that are too large are too_large, and half a request head is no request', () =>
  expectUnharmed(async () => {
    const huge = await raw(['GET /health HTTP/1.1', HOST, `X-Much: ${'x'.repeat(40_000)}`])
    expect(huge).toContain('"code":"too_large"')
    await rig.raw('GET /heal', QUIET_MS)
    expect(await raw(['nonsense'])).toContain('"code":"invalid_request"')
  }))

test('contract §6: two lengths, or a length and a body that differ, smuggle nothing in', () =>
  expectUnharmed(async () => {
    const post = ['POST /v1/workspaces/main/locks HTTP/1.1', HOST, AUTHORIZATION]
    const json = 'Content-Type: application/json'
    const answer = await raw([...post, json, 'Content-Length: 2', 'Content-Length: 60'], '{}')
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
  }))

test('contract §7: a body of the wrong type, method or shape is refused by the catalog', () =>
  expectUnharmed(async () => {
    const url = '/v1/workspaces/main/locks'
    const authorization = `Bearer ${rig.tokens['agent-a']}`
    for (const [type, payload] of [
      ['text/plain', '{"path":"/a"}'],
      ['multipart/form-data; boundary=x', '--x--'],
      ['application/json', '{"path":'],
      ['application/json', '[]'],
      ['application/json', '"/a"'],
      ['application/json', '{"path":7}'],
      ['application/json', '{"path":"/a","x":1}'],
      ['application/json', '{"path":"/a","__proto__":{"level":"read"}}'],
      ['application/json', '{}'],
    ] as const) {
      const headers = { host: 'localhost', authorization, 'content-type': type }
      const { statusCode, body } = await rig.http.app.inject({
        method: 'POST',
        url,
        headers,
        payload,
      })
      expect([statusCode, JSON.parse(body).code], payload).toEqual([400, 'invalid_request'])
    }
    const headers = { host: 'localhost', authorization }
    const wrong = await rig.http.app.inject({ method: 'PUT', url, headers })
    expect(JSON.parse(wrong.body).code).toBe('not_found')
  }))
