import { expect, test } from 'vitest'
import { serveReal } from './serve.ts'

/** The lock routes over the real engine: status codes, headers, and what bad input is told. */
const MAIN = '/v1/workspaces/main'
const FILES = `${MAIN}/files`
const LOCKS = `${MAIN}/locks`
const B = { token: 'token-b' }
const ADMIN = { token: 'token-admin' }

async function seats() {
  const { ask } = await serveReal()
  const post = async (path: string, json: object = {}, more: object = {}) => {
    const answer = await ask('POST', path, { json, ...more })
    const body = (await answer.json()) as Record<string, unknown>
    return { status: answer.status, body, headers: answer.headers }
  }
  const lock = async (json: object, more: object = {}) => {
    const { status, body } = await post(LOCKS, json, more)
    if (status !== 201) throw new Error(JSON.stringify(body))
    return (body.lock as { id: string }).id
  }
  return { ask, post, lock }
}

test('locks §15, §17: change answers 200 when granted and 202 when queued', async () => {
  const { ask, post, lock } = await seats()
  const mine = await lock({ path: '/f', level: 'read' })
  const theirs = await lock({ path: '/f', level: 'read' }, B)
  const raised = await post(`${LOCKS}/${mine}/change`, { to: 'write' })
  expect([raised.status, raised.body.status]).toEqual([200, 'granted'])
  const queued = await post(`${LOCKS}/${theirs}/change`, { to: 'write', queue: true }, B)
  expect([queued.status, queued.body.status]).toEqual([202, 'queued'])
  const refused = await post(`${LOCKS}/${mine}/change`, { to: 'read' }, B)
  expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
  expect((await post(`${LOCKS}/${mine}/change`, { to: 'read' })).status).toBe(200)
  const { ticket } = queued.body as { ticket: string }
  const claimed = await ask('GET', `${MAIN}/tickets/${ticket}?wait=20`, B)
  expect(claimed.status).toBe(201)
  expect(await claimed.json()).toMatchObject({ lock: { id: theirs, level: 'write' } })
  const gone = await post(`${LOCKS}/L99999/change`, { to: 'read' })
  expect([gone.status, gone.body.code]).toEqual([412, 'lock_lost'])
  const stale = await post(`${LOCKS}/${theirs}/change`, { to: 'read', if_version: 77 }, B)
  expect([stale.status, stale.body.code]).toEqual([412, 'stale_version'])
})

test('locks §37, §44: Sluice-Notices counts what the session was not told, until it looks', async () => {
  const { ask, post, lock } = await seats()
  const mine = await lock({ path: '/f' })
  const before = await ask('GET', `${LOCKS}/${mine}`)
  expect(before.headers.get('sluice-notices')).toBeNull()
  const asked = await post(`${LOCKS}/${mine}/ask`, { message: 'how long?' }, B)
  expect(asked).toMatchObject({ status: 200, body: { ask: expect.stringMatching(/^A\d+$/) } })
  await post(LOCKS, { path: '/f', queue: true, intent: 'merge' }, B)
  const next = await ask('GET', `${LOCKS}/${mine}`)
  expect(next.headers.get('sluice-notices')).toBe('2')
  const refused = await ask('GET', `${FILES}/none`)
  expect([refused.status, refused.headers.get('sluice-notices')]).toEqual([404, '2'])
  // Another session of the same agent has messages of its own.
  const elsewhere = await ask('GET', LOCKS, { headers: { 'sluice-session': 'other' } })
  expect(elsewhere.headers.get('sluice-notices')).toBeNull()
  const status = await ask('GET', `${MAIN}/status`)
  expect(status.headers.get('sluice-notices')).toBeNull()
  const { messages } = (await status.json()) as { messages: { kind: string }[] }
  expect(messages.map(({ kind }) => kind)).toEqual(['asked', 'waiting'])
  const answered = await post(`${MAIN}/asks/${asked.body.ask}`, { answer: 'yield' })
  expect(answered.body).toEqual({ answered: true, released: true })
  // The answer, and that its turn came while it did something else.
  const told = await ask('GET', LOCKS, B)
  expect(told.headers.get('sluice-notices')).toBe('2')
})

test('locks §38: recall and extension, each for whom it is', async () => {
  const { post, lock } = await seats()
  const id = await lock({ path: '/d/f' })
  const recalled = await post(`${LOCKS}/${id}/recall`, { reason: 'release', grace: 60 }, ADMIN)
  expect(recalled).toMatchObject({
    status: 200,
    body: { lock: { recall: { reason: 'supervisor', why: 'release', extended: false } } },
  })
  const extended = await post(`${LOCKS}/${id}/extend`)
  expect(extended.body).toMatchObject({ lock: { recall: { extended: true } } })
  expect((await post(`${LOCKS}/${id}/extend`)).body).toMatchObject({ code: 'too_many' })
  expect((await post(`${LOCKS}/${id}/recall`, { reason: 'x' })).status).toBe(403)
})

test('locks §40: force is for supervisors, and its reason is told to the holder and the audit', async () => {
  const { ask, lock } = await seats()
  const id = await lock({ path: '/d/f' })
  expect((await ask('DELETE', `${LOCKS}/${id}?force=true`, B)).status).toBe(403)
  const reason = encodeURIComponent('it hangs & waits')
  const forced = await ask('DELETE', `${LOCKS}/${id}?force=true&reason=${reason}`, ADMIN)
  expect(forced.status).toBe(204)
  const late = await ask('PUT', `${FILES}/d/f`, { body: 'late' })
  const problem = await late.json()
  expect(problem).toMatchObject({ status: 412, code: 'lock_lost', reason: 'forced' })
  expect(problem).toMatchObject({ why: 'it hangs & waits' })
  const audit = await ask('GET', `${MAIN}/audit?kind=lock-released`, ADMIN)
  expect(JSON.stringify(await audit.json())).toContain('it hangs & waits')
})

test('locks §39: a draft is read like a file, by its owner and by admins', async () => {
  const { ask, lock } = await seats()
  const id = await lock({ path: '/d/f' })
  await ask('DELETE', `${LOCKS}/${id}?force=true&reason=x`, ADMIN)
  const late = await ask('PUT', `${FILES}/d/f`, { body: 'late' })
  const problem = (await late.json()) as { draft: string }
  const draft = `${MAIN}/drafts/${problem.draft}`
  const kept = await ask('GET', draft)
  expect(await kept.text()).toBe('late')
  expect(kept.headers.get('etag')).toBe(`"${problem.draft}"`)
  expect(kept.headers.get('content-disposition')).toBe('attachment')
  const etag = { 'if-none-match': `"${problem.draft}"` }
  expect((await ask('GET', draft, { headers: etag })).status).toBe(304)
  const part = await ask('GET', draft, { headers: { range: 'bytes=1-2' } })
  expect([part.status, await part.text()]).toEqual([206, 'at'])
  const head = await ask('HEAD', draft)
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '4'])
  expect((await ask('GET', draft, B)).status).toBe(404)
  expect((await ask('GET', draft, ADMIN)).status).toBe(200)
})

test('locks §41: handed over under a new id; the old token writes nothing', async () => {
  const { ask, post } = await seats()
  const { body } = await post(LOCKS, { path: '/f', level: 'exclusive' })
  const { lock, token } = body as { lock: { id: string; fence: number }; token: string }
  await ask('GET', LOCKS, B)
  const handed = await post(`${LOCKS}/${lock.id}/handover`, { to: 'agent-b' })
  expect(handed).toMatchObject({ status: 200, body: { was: lock.id, lock: { owner: 'agent-b' } } })
  expect((handed.body.lock as { fence: number }).fence).toBeGreaterThan(lock.fence)
  const headers = { 'sluice-lock': token }
  const late = await ask('PUT', `${FILES}/f`, { body: 'x', headers })
  expect(await late.json()).toMatchObject({ code: 'lock_lost', reason: 'handed-over' })
  expect((await ask('PUT', `${FILES}/f`, { body: 'x', ...B })).status).toBe(201)
})

test('locks §43: the new facts come as events', async () => {
  const { ask, post, lock } = await seats()
  const kinds = ['lock-raised', 'lock-lowered', 'holder-asked', 'ask-answered', 'lock-recalled']
  const all = [...kinds, 'recall-extended', 'lock-handed-over', 'lock-released'].join()
  const events = await ask('GET', `${MAIN}/events?since=0&kind=${all}`)
  const id = await lock({ path: '/f', level: 'read' })
  await post(`${LOCKS}/${id}/change`, { to: 'write' })
  await post(`${LOCKS}/${id}/change`, { to: 'read' })
  const { body } = await post(`${LOCKS}/${id}/ask`, { message: 'x' }, B)
  await post(`${MAIN}/asks/${body.ask}`, { answer: 'no' })
  await post(`${LOCKS}/${id}/recall`, { reason: 'x' }, ADMIN)
  await post(`${LOCKS}/${id}/extend`)
  const { lock: held } = (await post(`${LOCKS}/${id}/handover`, { to: 'agent-b' })).body
  await ask('DELETE', `${LOCKS}/${(held as { id: string }).id}`, B)
  let text = ''
  for await (const chunk of events.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    if (text.includes('event: lock-released')) break
  }
  expect([...text.matchAll(/^event: (\S+)$/gm)].map(([, kind]) => kind).join()).toBe(all)
  expect(text).not.toContain('token')
})

test('locks §5, §9, §19, §31, §37, §41: bad input is refused by name, and says what to do', async () => {
  const { ask, post, lock } = await seats()
  const file = await ask('PUT', `${FILES}/f`, { body: 'one\ntwo\n' })
  const { version } = (await file.json()) as { version: number }
  const mine = await lock({ path: '/mine' })
  const theirs = await lock({ path: '/theirs' }, B)
  await ask('GET', LOCKS, { ...B, headers: { 'sluice-session': 'second' } })
  const two = [{ path: '/x' }, { path: '/y' }]
  const { body } = await post(`${LOCKS}/${theirs}/ask`, { message: 'x' })
  for (const [path, json, status, code, words] of [
    [LOCKS, { path: '/f', range: { start: 3, end: 3 } }, 416, 'range_invalid', /empty/],
    [LOCKS, { path: '/f', range: { start: 3, end: 1 } }, 416, 'range_invalid', /empty/],
    [LOCKS, { path: '/f', range: { start: 'x' } }, 400, 'invalid_request', /range\.start/],
    [LOCKS, { path: '/f', range: {} }, 400, 'invalid_request', /range\.start/],
    [LOCKS, { path: '/f', lines: { from: 1 } }, 400, 'invalid_request', /lines\.version/],
    [LOCKS, { path: '/f', lines: { from: 9, version } }, 416, 'range_invalid', /no lines 9/],
    [LOCKS, { path: '/f', lines: { from: 2, to: 1, version } }, 416, 'range_invalid', /lines/],
    [LOCKS, { path: '/f', lines: { from: 1, version: 77 } }, 412, 'stale_version', /version/],
    [LOCKS, { path: '/f', range: { start: 0 }, scope: 'subtree' }, 400, 'invalid_request', /scope/],
    [LOCKS, { path: '/f', range: { start: 0 }, key: 'metadata' }, 400, 'invalid_request', /range/],
    [LOCKS, { path: '/', key: 'metadata' }, 400, 'invalid_path', /root/],
    [LOCKS, { path: '/f', key: 'labels' }, 400, 'invalid_request', /key/],
    [LOCKS, { items: two, any: 3 }, 400, 'invalid_request', /any/],
    [LOCKS, { items: two, any: 0 }, 400, 'invalid_request', /any/],
    [LOCKS, { items: two, key: 'metadata' }, 400, 'invalid_request', /item by item/],
    [LOCKS, { path: '/x', priority: 10 }, 400, 'invalid_request', /priority/],
    [LOCKS, { path: '/x', lock_delay: 61 }, 400, 'invalid_request', /lock_delay/],
    [LOCKS, { path: '/x', lock_delay: -1 }, 400, 'invalid_request', /lock_delay/],
    [LOCKS, { path: '/x', rnge: {} }, 400, 'invalid_request', /rnge/],
    [`${LOCKS}/${mine}/change`, {}, 400, 'invalid_request', /to/],
    [`${LOCKS}/${mine}/change`, { to: 'renew' }, 400, 'invalid_request', /to/],
    [`${LOCKS}/nonsense/change`, { to: 'read' }, 400, 'invalid_request', /L1042/],
    [`${LOCKS}/${mine}/handover`, { to: 'nobody' }, 404, 'not_found', /no open session nobody/],
    [`${LOCKS}/${mine}/handover`, { to: 'agent-b:x' }, 404, 'not_found', /no open session/],
    [`${LOCKS}/${mine}/handover`, { to: 'agent-b' }, 400, 'invalid_request', /say which.*second/],
    [`${LOCKS}/${mine}/handover`, { to: 5 }, 400, 'invalid_request', /to/],
    [`${LOCKS}/${theirs}/handover`, { to: 'agent-a' }, 403, 'forbidden', /agent-b/],
    [`${LOCKS}/${mine}/ask`, { message: 'me?' }, 400, 'invalid_request', /your own lock/],
    [`${LOCKS}/${theirs}/ask`, {}, 400, 'invalid_request', /message/],
    [`${LOCKS}/L99999/ask`, { message: 'x' }, 412, 'lock_lost', /take a new lock/],
    [`${MAIN}/asks/${body.ask}`, { answer: 'yield' }, 404, 'not_found', /question/],
    [`${MAIN}/asks/A99999`, { answer: 'no' }, 404, 'not_found', /question A99999/],
    [`${MAIN}/asks/x`, { answer: 'no' }, 400, 'invalid_request', /A1060/],
    [`${MAIN}/asks/A1`, { answer: 'perhaps' }, 400, 'invalid_request', /answer/],
    [`${LOCKS}/${mine}/extend`, {}, 400, 'invalid_request', /not recalled/],
    [`${LOCKS}/${mine}/extend`, { by: 5 }, 400, 'invalid_request', /by/],
    [`${LOCKS}/${theirs}/recall`, {}, 400, 'invalid_request', /reason/],
  ] as const) {
    const answer = await post(path, json)
    const what = `${path} ${JSON.stringify(json)}: ${String(answer.body.detail)}`
    expect([answer.status, answer.body.code], what).toEqual([status, code])
    expect(answer.body.detail, what).toMatch(words)
  }
  for (const [path, status, code] of [
    [`${MAIN}/drafts/D99999`, 404, 'not_found'],
    [`${MAIN}/drafts/x`, 400, 'invalid_request'],
    [`${LOCKS}?statistics=perhaps`, 400, 'invalid_request'],
  ] as const) {
    const answer = await ask('GET', path)
    expect([answer.status, await answer.json()], path).toMatchObject([status, { code }])
  }
  const same = await post(`${LOCKS}/${mine}/change`, { to: 'write' })
  expect(same).toMatchObject({ status: 200, body: { already_held: true, lock: { id: mine } } })
  const self = await post(`${LOCKS}/${mine}/handover`, { to: 'agent-a' })
  expect(self).toMatchObject({ status: 200, body: { was: mine, lock: { id: mine } } })
})
