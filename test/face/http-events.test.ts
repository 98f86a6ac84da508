import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { serve } from './serve.ts'

const EVENTS = '/v1/workspaces/main/events'

/** Reads an event stream frame by frame, without comments. */
async function* frames(answer: Response): AsyncGenerator<Record<string, string>> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true })
    const whole = rest.split('\n\n')
    rest = whole.pop() ?? ''
    for (const frame of whole) {
      if (frame.startsWith(':')) continue
      yield Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s, 2)))
    }
  }
}

async function take(stream: AsyncGenerator<Record<string, string>>, count: number) {
  const list: Record<string, string>[] = []
  while (list.length < count) {
    const { value, done } = await stream.next()
    if (done) break
    list.push(value)
  }
  return list
}

test('locks §43: the stream starts after `since` and goes on live', async () => {
  const { ask, engine } = await serve()
  engine.happen('lock-queued')
  engine.happen('files-committed', { path: '/a' })
  const answer = await ask('GET', `${EVENTS}?since=101`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
  expect(answer.headers.get('sluice-revision')).toBe('102')
  const stream = frames(answer)
  const [first] = await take(stream, 1)
  expect(first).toMatchObject({ id: '102', event: 'files-committed' })
  expect(JSON.parse(first?.data ?? '')).toMatchObject({ revision: 102, path: '/a' })
  engine.happen('lock-released')
  expect(await take(stream, 1)).toMatchObject([{ id: '103', event: 'lock-released' }])
})

test('locks §43: Last-Event-ID comes before `since`, and kinds are filtered', async () => {
  const { ask, engine } = await serve()
  for (const kind of ['lock-queued', 'lock-acquired', 'lock-released'] as const) engine.happen(kind)
  const resumed = await ask('GET', `${EVENTS}?since=0`, { headers: { 'last-event-id': '102' } })
  expect(await take(frames(resumed), 1)).toMatchObject([{ id: '103' }])
  const some = await ask('GET', `${EVENTS}?since=100&kind=lock-acquired,lock-released`)
  expect(await take(frames(some), 2)).toMatchObject([{ id: '102' }, { id: '103' }])
})

test('contract §6: history that is no longer kept is 410', async () => {
  const { ask, engine } = await serve()
  engine.compactedBefore = 50
  const answer = await ask('GET', `${EVENTS}?since=10`)
  expect(answer.status).toBe(410)
  expect(await answer.json()).toMatchObject({ code: 'compacted' })
})

test('contract §6: bad queries and unknown workspaces are refused before the stream opens', async () => {
  const { ask } = await serve()
  expect((await ask('GET', `${EVENTS}?kind=nonsense`)).status).toBe(400)
  expect((await ask('GET', `${EVENTS}?since=-1`)).status).toBe(400)
  expect((await ask('GET', `${EVENTS}?foo=1`)).status).toBe(400)
  expect((await ask('GET', '/v1/workspaces/other/events')).status).toBe(404)
  expect((await ask('GET', EVENTS, { token: null })).status).toBe(401)
})

test('contract §6: a client that does not read holds nobody up', async () => {
  const { ask, engine } = await serve()
  const idle = await ask('GET', `${EVENTS}?since=100`)
  const reading = await ask('GET', `${EVENTS}?since=100`)
  const text = 'x'.repeat(60_000)
  const count = Math.ceil((LIMITS.eventStreamQueueBytes * 2) / text.length)
  const all = take(frames(reading), count)
  for (let i = 0; i < count; i++) {
    engine.happen('files-committed', { text })
    if (i % 20 === 0) await turn()
  }
  expect(await all).toHaveLength(count)
  await idle.body?.cancel()
})

test('contract §6: closing the server ends the streams', async () => {
  const { ask, server } = await serve()
  const answer = await ask('GET', EVENTS)
  const rest = take(frames(answer), 1)
  await server.close()
  expect(await rest).toEqual([])
})
