import { expect, test } from 'vitest'
import { connectMcp, type Era, type McpClient, serveMcpReal } from './mcp-client.ts'

/** What agents read when locks change hands: over the real engine, sentence by sentence. */
async function seats(era: Era = 'auto') {
  const served = await serveMcpReal({ tools: 'full' })
  const [a, b, boss] = await Promise.all(
    ['token-a', 'token-b', 'token-admin'].map((token) => connectMcp(served, { era, token })),
  )
  const { structured } = await (b as McpClient).call('workspace_status')
  return {
    served,
    a: a as McpClient,
    b: b as McpClient,
    boss: boss as McpClient,
    sessionOfB: structured.session as string,
  }
}

async function lockOf(client: McpClient, args: Record<string, unknown>): Promise<string> {
  const answer = await client.call('acquire_lock', { wait: 0, ...args })
  if (answer.isError) throw new Error(answer.text)
  return (answer.structured.lock as { id: string }).id
}

for (const era of ['legacy', 'auto'] satisfies Era[]) {
  test(`locks §15, §44: stronger waits and says behind whom, weaker lets go (${era})`, async () => {
    const { a, b } = await seats(era)
    const mine = await lockOf(a, { path: '/f', type: 'read' })
    const theirs = await lockOf(b, { path: '/f', type: 'read' })
    const raised = await a.call('change_lock', { lock_id: mine, to: 'write' })
    expect(raised.text).toContain(`You now hold the write lock ${mine} on /f`)
    const waits = await b.call('change_lock', { lock_id: theirs, to: 'write', wait: 0.1 })
    expect(waits.structured).toMatchObject({ status: 'queued', position: 1 })
    expect(waits.text).toContain(`agent-a holds a write lock (${mine}) on /f until`)
    expect(waits.text).toContain(`wait_for_lock with ticket ${waits.structured.ticket}`)
    expect(waits.text).toContain(`You keep ${theirs} as it is meanwhile.`)
    const listed = await a.call('list_locks', { path: '/f' })
    expect(listed.text).toMatch(
      new RegExp(
        `T\\d+: agent-b waits for write on /f \\(number 1, \\d+ s, behind agent-a's ${mine}`,
      ),
    )
    expect(listed.text).toMatch(/Note: agent-b:\S+ waits for \/f, since .*release it as soon as/)
    expect((await a.call('list_locks')).text).not.toContain('Note:')
    await a.call('change_lock', { lock_id: mine, to: 'read' })
    const claimed = await b.call('wait_for_lock', { ticket: waits.structured.ticket })
    expect(claimed.text).toContain(`You now hold the write lock ${theirs} on /f`)
    const renewed = await b.call('change_lock', { lock_id: theirs, to: 'renew' })
    expect(renewed.text).toMatch(/^L\d+ is renewed and ends at \S+\.$/)
  })

  test(`locks §38: a recall is told in the next result, and extended once (${era})`, async () => {
    const { a, boss } = await seats(era)
    const id = await lockOf(a, { path: '/f' })
    const told = await boss.call('recall_lock', { lock_id: id, reason: 'release day' })
    expect(told.text).toMatch(new RegExp(`was told to give back ${id} on /f by \\S+; then`))
    // Releasing something else looks into the status on its way; the note is not lost by that.
    const next = await a.call('release_lock', { path: '/other' })
    expect(next.text).toContain('Note: Your lock')
    expect(next.text).toMatch(
      /recalled: admin wants it back \("release day"\).*extend that once.*change_lock with to/,
    )
    expect(next.structured.messages).toMatchObject([{ kind: 'recalled', lock: id }])
    const extended = await a.call('change_lock', { lock_id: id, to: 'extend' })
    expect(extended.text).toMatch(new RegExp(`^${id} is yours until \\S+\\. Finish and release it`))
    const again = await a.call('change_lock', { lock_id: id, to: 'extend' })
    expect(again.structured).toMatchObject({ code: 'too_many', limit: 'recall_extensions' })
  })

  test(`locks §39: a late write after the deadline is kept as a draft, and the status tells of it (${era})`, async () => {
    const { a, boss, served } = await seats(era)
    await served.ask('PUT', '/v1/workspaces/main', {
      token: 'token-admin',
      json: { settings: { minimum_hold_s: 0, recall_grace_s: 0.2 } },
    })
    const id = await lockOf(a, { path: '/f' })
    await boss.call('recall_lock', { lock_id: id, reason: 'release day' })
    // It is told once.
    expect((await a.call('list_locks')).text).toContain('Note: Your lock')
    while (!(await boss.call('list_locks')).text.startsWith('Nobody')) {}
    const late = await a.call('write_file', { path: '/f', content: 'late' })
    expect(late.structured).toMatchObject({ code: 'lock_lost', reason: 'revoked' })
    expect(late.text).not.toContain('Note:')
    const draft = late.structured.draft as string
    expect(late.text).toContain(`kept as draft ${draft} until`)
    expect(late.text).toContain('read_draft')
    const kept = await a.call('read_draft', { draft })
    expect(kept).toMatchObject({ text: 'late', structured: { path: '/f', lock: id, base: 0 } })
    const status = await a.call('workspace_status')
    expect(status.text).toContain(`Draft ${draft}: your write to /f (4 bytes)`)
    // A status shows its messages itself: no note says them again.
    expect(status.text).toContain('not given back in time')
    expect(status.text).not.toContain('Note:')
    // The lock is gone, so nobody is asked to give it back.
    expect(status.text).not.toContain('is recalled')
  })
}

test('locks §40: taken by force, with a reason; agents may not', async () => {
  const { a, b, boss, served } = await seats()
  const id = await lockOf(a, { path: '/f' })
  const refused = await b.call('force_release', { lock_id: id, reason: 'mine' })
  expect(refused.structured).toMatchObject({ code: 'forbidden' })
  expect((await b.call('recall_lock', { lock_id: id, reason: 'x' })).structured).toMatchObject({
    code: 'forbidden',
  })
  const taken = await boss.call('force_release', { lock_id: id, reason: 'it hangs' })
  expect(taken.text).toBe(`Took ${id} from its holder.`)
  expect((await a.call('list_locks')).text).toMatch(
    /Note: Lock L\d+ on \/f was taken away by admin/,
  )
  const audit = await served.ask('GET', '/v1/workspaces/main/audit?kind=lock-released', {
    token: 'token-admin',
  })
  expect(JSON.stringify(await audit.json())).toContain('it hangs')
})

test('locks §37: one question for all locks below a path, and the answer', async () => {
  const { a, b } = await seats()
  await lockOf(a, { paths: ['/f', '/d/g'] })
  await lockOf(a, { path: '/d/h' })
  const asked = await b.call('ask_holder', { path: '/', message: 'how long?' })
  // One question, however many locks.
  expect(asked.structured.asked).toHaveLength(1)
  const { ask } = (asked.structured.asked as { ask: string }[])[0] as { ask: string }
  expect(asked.text).toContain(`(${ask})`)
  const note = (await a.call('list_locks')).text
  expect(note).toMatch(
    new RegExp(
      `Note: agent-b:\\S+ asks about your lock.*Answer ${ask} with.*Use ask_holder with ask "${ask}"`,
    ),
  )
  const estimate = { ask, answer: 'estimate', estimate_s: 60, message: 'tests run' }
  expect((await a.call('ask_holder', estimate)).text).toBe(`Answered ${ask}.`)
  expect((await b.call('list_locks')).text).toMatch(/Note: agent-a:.*about 60 s \("tests run"\)/)
})

test('locks §37: only who was asked answers, and nobody asks itself', async () => {
  const { a, b } = await seats()
  await lockOf(a, { path: '/f' })
  const asked = await b.call('ask_holder', { path: '/f', message: 'how long?' })
  const { ask } = (asked.structured.asked as { ask: string }[])[0] as { ask: string }
  const theirs = await b.call('ask_holder', { ask, answer: 'yield' })
  expect(theirs).toMatchObject({ isError: true, structured: { code: 'not_found', ask } })
  expect(theirs.text).toContain('workspace_status')
  const own = await a.call('ask_holder', { path: '/f', message: 'me?' })
  expect(own).toMatchObject({ isError: false, structured: { asked: [] } })
  expect(own.text).toContain('Nobody else holds a lock on /f')
})

test('locks §37: to yield gives that lock back, and no other', async () => {
  const { a, b } = await seats()
  const id = await lockOf(a, { paths: ['/f', '/d/g'] })
  const other = await lockOf(a, { path: '/d/h' })
  const second = await b.call('ask_holder', { path: '/f', message: 'please' })
  const next = (second.structured.asked as { ask: string; lock: string }[])[0]
  expect(next?.lock).toBe(id)
  const yielded = await a.call('ask_holder', { ask: next?.ask, answer: 'yield' })
  expect(yielded.text).toContain('the lock is given back')
  const { locks } = (await a.call('list_locks')).structured as { locks: { id: string }[] }
  expect(locks.map((lock) => lock.id)).toEqual([other])
})

test('locks §41: handed to an agent by name; the giver is told that it is over', async () => {
  const { a, b, sessionOfB } = await seats()
  const id = await lockOf(a, { path: '/f', type: 'exclusive' })
  const handed = await a.call('change_lock', { lock_id: id, hand_to: 'agent-b' })
  expect(handed.text).toMatch(
    new RegExp(`^${sessionOfB} holds /f now, as L\\d+; it is not yours any more\\.$`),
  )
  expect((await b.call('list_locks')).text).toMatch(/Note: agent-a:\S+ handed you the lock/)
  const late = await a.call('write_file', { path: '/f', content: 'x' })
  expect(late.structured).toMatchObject({ code: 'lock_lost', reason: 'handed-over' })
  expect((await b.call('write_file', { path: '/f', content: 'x' })).isError).toBe(false)
})

test('locks §5, §9: lines, bytes, any of several, stable reads', async () => {
  const { a, b } = await seats()
  await a.call('write_file', { path: '/f', content: 'one\ntwo\nthree\n' })
  const lines = await a.call('acquire_lock', { path: '/f', lines: { from: 2, to: 2 } })
  expect(lines.text).toContain('on bytes 4 to 8 of /f;')
  const rest = await b.call('acquire_lock', { path: '/f', range: { start: 8 } })
  expect(rest.text).toContain('on bytes 8 to the end of /f;')
  const edits = [{ oldText: 'two', newText: '2' }]
  expect((await b.call('edit_file', { path: '/f', edits })).structured).toMatchObject({
    code: 'locked',
  })
  const jobs = { paths: ['/1', '/2'], any: 1 }
  expect((await a.call('acquire_lock', jobs)).text).toContain('on /1;')
  expect((await b.call('acquire_lock', jobs)).text).toContain('on /2;')
  await lockOf(a, { path: '/s', type: 'read', stable: true })
  const written = await b.call('write_file', { path: '/s', content: 'x' })
  expect(written.structured).toMatchObject({ code: 'locked' })
})

test('locks §16, §23: refusals of waiting say which lock to release', async () => {
  const { a, b } = await seats()
  const mine = await lockOf(a, { path: '/a' })
  const theirs = await lockOf(b, { path: '/b' })
  await a.call('acquire_lock', { path: '/b', wait: 0.1 })
  const cycle = await b.call('acquire_lock', { path: '/a' })
  expect(cycle.structured).toMatchObject({ code: 'deadlock', release: [{ lock: theirs }] })
  expect(cycle.text).toMatch(
    new RegExp(`/a is held by agent-a:\\S+; agent-a:\\S+ waits for /b, .*Release ${theirs} on /b`),
  )
  await a.call('release_lock', { all: true })
  await b.call('release_lock', { all: true })
  expect(mine).not.toBe(theirs)
  const [one, other] = [
    await lockOf(a, { path: '/r', type: 'read' }),
    await lockOf(b, { path: '/r', type: 'read' }),
  ]
  await a.call('change_lock', { lock_id: one, to: 'exclusive', wait: 0.1 })
  const both = await b.call('change_lock', { lock_id: other, to: 'exclusive' })
  expect(both.structured).toMatchObject({ code: 'upgrade_conflict' })
  expect(both.text).toContain('Release your lock or lower it')
})

test('locks §5, §9, §19, §37: bad arguments are typed refusals that say what to do', async () => {
  const { a, b } = await seats()
  await a.call('write_file', { path: '/f', content: 'one\ntwo\n' })
  const id = await lockOf(a, { path: '/held' })
  const theirs = await lockOf(b, { path: '/theirs' })
  const lock = (args: object) => ['acquire_lock', { wait: 0, ...args }] as const
  const change = (args: object) => ['change_lock', args] as const
  const ask = (args: object) => ['ask_holder', args] as const
  for (const [[name, args], code, words] of [
    [lock({ path: '/f', range: { start: 5, end: 5 } }), 'range_invalid', /empty/],
    [lock({ path: '/f', range: { start: 5, end: 2 } }), 'range_invalid', /empty/],
    [lock({ path: '/f', range: { start: -1 } }), 'invalid_request', /range\.start/],
    [lock({ path: '/f', lines: { from: 9, to: 9 } }), 'range_invalid', /no lines 9/],
    [lock({ path: '/f', lines: { from: 2, to: 1 } }), 'range_invalid', /lines/],
    [lock({ path: '/f', lines: { from: 0 } }), 'invalid_request', /lines\.from/],
    [lock({ path: '/f', lines: { from: 1, version: 9999 } }), 'stale_version', /version/],
    [lock({ path: '/none', lines: { from: 1 } }), 'not_found', /nothing/],
    [lock({ path: '/f', lines: { from: 1 }, range: { start: 0 } }), 'invalid_request', /either/],
    [lock({ paths: ['/f', '/g'], range: { start: 0 } }), 'invalid_request', /one file/],
    [lock({ paths: ['/x', '/y'], any: 3 }), 'invalid_request', /any/],
    [lock({ paths: ['/x'], any: 0 }), 'invalid_request', /any/],
    [lock({ path: '/x', priority: 10 }), 'invalid_request', /priority/],
    [lock({ path: '/x', type: 'write', stabel: true }), 'invalid_request', /stabel/],
    [change({ lock_id: id }), 'invalid_request', /either to or hand_to/],
    [change({ lock_id: id, to: 'read', hand_to: 'b' }), 'invalid_request', /either to or hand_to/],
    [change({ lock_id: id, to: 'shared' }), 'invalid_request', /to/],
    [change({ lock_id: 'nonsense', to: 'read' }), 'invalid_request', /L1042/],
    [change({ lock_id: 'L99999', to: 'read' }), 'lock_lost', /acquire_lock|new lock/],
    [change({ lock_id: theirs, to: 'read' }), 'forbidden', /agent-b.*ask_holder/],
    [change({ lock_id: theirs, to: 'renew' }), 'forbidden', /agent-b/],
    [change({ lock_id: id, to: 'extend' }), 'invalid_request', /not recalled/],
    [change({ lock_id: id, hand_to: 'nobody' }), 'not_found', /no open session nobody/],
    [change({ lock_id: id, hand_to: 'a b' }), 'invalid_request', /agent:session/],
    [ask({ path: '/theirs' }), 'invalid_request', /path and message/],
    [ask({ ask: 'A1' }), 'invalid_request', /ask and answer/],
    [ask({ path: '/f', message: 'x', ask: 'A1' }), 'invalid_request', /path and message/],
    [ask({ ask: 'A1', answer: 'maybe' }), 'invalid_request', /answer/],
    [ask({ ask: 'A99999', answer: 'no' }), 'not_found', /no question A99999/],
    [ask({ path: '/theirs', message: '' }), 'invalid_request', /message/],
    [['read_draft', { draft: 'D99999' }], 'not_found', /no draft D99999.*workspace_status/],
    [['read_draft', { draft: 'x' }], 'invalid_request', /D1070/],
  ] as const) {
    const answer = await a.call(name, { ...args })
    const what = `${name} ${JSON.stringify(args)}: ${answer.text}`
    expect(answer.isError, what).toBe(true)
    expect(answer.structured.code, what).toBe(code)
    expect(answer.text, what).toMatch(words)
  }
  const same = await a.call('change_lock', { lock_id: id, to: 'write' })
  expect(same.text).toContain(`You hold the write lock ${id}`)
  const self = await a.call('change_lock', { lock_id: id, hand_to: 'agent-a' })
  expect(self).toMatchObject({ isError: false, text: `${id} is yours already.` })
})
