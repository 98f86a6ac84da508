import { describe, expect, test } from 'vitest'
import { cutText } from '../../src/contract/cut-text.ts'
import { problemOf, refuse } from '../../src/contract/errors.ts'
import { OPERATION_NAMES } from '../../src/contract/operations.ts'
import { parseInput } from '../../src/contract/parse.ts'
import { codeOf, Killable } from '../client/killable.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'

/** C3: half a surrogate pair neither comes in nor leaves, by any door. */
const HALF = 'x\ud83dy'

describe('C3: half of a character', () => {
  test('C3: is refused by its field, in every string of every operation', () => {
    for (const name of OPERATION_NAMES) {
      for (const [input, field] of [
        [{ path: '/a', intent: HALF }, 'intent'],
        [{ edits: [{ oldText: 'a', newText: HALF }] }, 'edits.0.newText'],
        [{ [HALF]: 1 }, 'x\ufffdy'],
      ] as const) {
        const result = parseInput(name, input)
        expect(result, name).toMatchObject({
          ok: false,
          refusal: { code: 'invalid_request', data: { fields: [{ field }] } },
        })
        expect(JSON.stringify(result)).not.toMatch(/\\ud83d/)
      }
    }
    expect(parseInput('read_file', { path: `/${HALF}` })).toMatchObject({
      refusal: { code: 'invalid_path' },
    })
  })

  test('C3: MCP refuses it by its field, and stores nothing', async () => {
    const served = await serveMcpReal()
    const { call } = await connectMcp(served)
    for (const [name, args, field] of [
      ['write_file', { path: '/f', content: HALF }, 'content'],
      ['append_file', { path: '/f', content: HALF }, 'content'],
      ['edit_file', { path: '/f', edits: [{ oldText: HALF, newText: '' }] }, 'edits.0.oldText'],
      ['acquire_lock', { path: '/f', intent: HALF }, 'intent'],
      ['ask_holder', { path: '/f', message: HALF }, 'message'],
      ['search_files', { path: '/', pattern: HALF }, 'pattern'],
    ] as const) {
      const answer = await call(name, args)
      expect(answer, name).toMatchObject({
        isError: true,
        structured: { code: 'invalid_request', fields: [{ field }] },
      })
      expect(JSON.stringify(answer), name).not.toMatch(/\\ud83d/)
    }
    const path = await call('write_file', { path: `/${HALF}`, content: '' })
    expect(path.structured).toMatchObject({ code: 'invalid_path' })
    expect((await call('list_directory', { path: '/' })).text).toBe('')
  })

  test('C3: HTTP refuses it, escaped in JSON or not', async () => {
    const served = await serveMcpReal()
    const files = '/v1/workspaces/main/files/f'
    for (const [method, url, json] of [
      ['PATCH', files, { append: HALF }],
      ['POST', '/v1/workspaces/main/locks', { path: '/f', intent: HALF }],
      [
        'POST',
        '/v1/workspaces/main/commits',
        { changes: [{ op: 'write', path: '/f', text: HALF }] },
      ],
    ] as const) {
      const answer = await served.ask(method, url, { json })
      expect(answer.status).toBe(400)
      expect(await answer.text()).not.toMatch(/\\ud83d/i)
    }
    // Neither are bytes in the body that are no text at all.
    const raw = await served.ask('PATCH', files, {
      body: new Uint8Array(Buffer.from('{"append":"x\xffy"}', 'latin1')),
      headers: { 'content-type': 'application/json' },
    })
    expect(await raw.json()).toMatchObject({
      code: 'invalid_request',
      detail: 'The body is not UTF-8 text.',
    })
    expect((await served.ask('GET', files)).status).toBe(404)
  })

  test('C3: excerpts are cut between characters', async () => {
    const served = await serveMcpReal()
    const { call } = await connectMcp(served)
    for (const content of [`A${'\u{1f600}'.repeat(500)}`, '\u{1f600}'.repeat(2000)]) {
      await call('write_file', { path: `/f${content.length}`, content })
      for (const oldText of ['nope', `A${'\u{1f600}'.repeat(30)}!`]) {
        const edits = [{ oldText, newText: '' }]
        const { text, structured } = await call('edit_file', { path: `/f${content.length}`, edits })
        expect(structured.code).toBe('edit_conflict')
        expect(text.isWellFormed() && String(structured.excerpt).isWellFormed()).toBe(true)
        expect(text).not.toContain('\ufffd')
      }
    }
  })

  test('C3+: whatever a refusal quotes is text', () => {
    expect(problemOf(refuse('not_found', `No ${HALF}.`)).detail).toBe('No x\ufffdy.')
    expect(cutText(`a\u{1f600}`, 2)).toBe('a')
    expect(cutText(`a\u{1f600}b`, 3)).toBe('a\u{1f600}')
    expect(cutText('abc', 3)).toBe('abc')
  })
})

test('C3+: the SDK refuses it before it leaves, and shows as text only what is text', async () => {
  const server = await Killable.start()
  const workspace = (await server.connect()).workspace()
  for (const call of [
    () => workspace.write('/f', HALF),
    () => workspace.append('/f', HALF),
    () => workspace.edit('/f', [{ oldText: 'a', newText: HALF }]),
    () => workspace.lock('/f', { intent: HALF }),
    () => workspace.commit([{ op: 'write', path: '/f', text: HALF }]),
  ]) {
    expect(await codeOf(call())).toBe('invalid_request')
  }
  expect(await codeOf(workspace.read('/f'))).toBe('not_found')
  await workspace.write('/latin', Uint8Array.of(0x63, 0x61, 0x66, 0xe9))
  const read = await workspace.read('/latin')
  expect(() => read.text()).toThrow(/not UTF-8/)
  expect(await workspace.readText('/latin')).toMatchObject({ text: 'café', encoding: 'latin1' })
  await workspace.write('/lines', 'one\ntwo\nthree\n')
  expect((await workspace.readText('/lines', { offset: 1, limit: 1 })).text).toBe('two\n')
  await workspace.write('/marked', '\ufeffa')
  expect((await workspace.read('/marked')).text()).toBe('\ufeffa')
})
