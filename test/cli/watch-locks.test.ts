import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LiveView } from '../../src/cli/live-view.ts'
import { Place, until } from './sluice.ts'

test('locks §44: locks says who waits for whom, for how long, and with --statistics how long it took', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/a', '--session', 'one'])
  const waiting = place.start(['lock', '/a', '--wait', '20', '--session', 'two'])
  const seen = await until(async () => {
    const { out } = await place.run(['locks'])
    return out.includes('BLOCKED BY') ? out : undefined
  })
  expect(seen).toMatch(/LOCK .*BLOCKS.*\nL\d+ .*admin:one .*1 for \d+s/)
  expect(seen).toMatch(/TICKET .*\nT\d+ +1 +write +\/a +admin:two +\d+s +admin’s L\d+/)
  const behind = place.start(['lock', '/a', '--wait', '20', '--session', 'three'])
  const ahead = /^T\d+/m.exec(seen)?.[0] ?? ''
  await until(async () => {
    const { out } = await place.run(['locks'])
    return out.includes(`behind ${ahead}`) ? true : undefined
  })
  await behind.stop('SIGINT')
  const none = await place.run(['locks', '--statistics'])
  expect(none.out).toMatch(/WAITED FOR +NOW +WAITS.*\n\/a +1 +0 |Nobody had to wait/)
  const id = /^L\d+/m.exec(seen)?.[0] ?? ''
  await place.run(['unlock', id, '--session', 'one'])
  expect((await waiting.ended()).code).toBe(0)
  const { out } = await place.run(['locks', '--statistics'])
  expect(out).toMatch(/\/a +0 +1 +\d+\.\d\ds/)
})

test('locks §43: locks --watch on a pipe: a table for each change, and none while nothing changes', async () => {
  const place = new Place()
  await place.open()
  const watching = place.start(['locks', '--watch'])
  await watching.says(/No locks\./)
  await place.run(['lock', '/a', '--intent', 'merge'])
  await watching.says(/\nL\d+ +write +\/a .*merge\n/)
  // Calls of the holder renew its lock, which is no change; a few ticks go by meanwhile.
  for (let turn = 0; turn < 4; turn++) await place.run(['status'])
  await pause(1500)
  expect(watching.out.match(/^LOCK /gm)).toHaveLength(1)
  expect(watching.out).not.toContain('\u001b')
  const ended = await watching.stop('SIGINT')
  expect(ended).toMatchObject({ code: 0, err: '' })
})

test('locks §43: locks --watch --json: one document a line for each change', async () => {
  const place = new Place()
  await place.open()
  const watching = place.start(['locks', '/a', '--watch', '--json'])
  await watching.says(/\n/)
  await place.run(['lock', '/a'])
  await watching.says(/\n.*\n/)
  expect((await watching.stop('SIGTERM')).code).toBe(0)
  const [before, after] = watching.out.trimEnd().split('\n').map(parse)
  expect(before).toMatchObject({ locks: [], waiting: [], closed: [] })
  expect(after).toMatchObject({ locks: [{ items: [{ path: '/a' }] }] })
})

test('locks §43: locks --watch goes on when the server comes back, and ends by a refusal', async () => {
  const place = new Place()
  const server = await place.serve()
  const port = new URL(server.url).port
  const watching = place.start(['locks', '--watch', '--json'])
  await watching.says(/\n/)
  await server.stop('SIGKILL')
  const again = place.start(['serve', '--port', port])
  await again.says(/^sluice ready/)
  await place.run(['lock', '/a'])
  await watching.says(/"path":"\/a"/)
  expect((await watching.stop('SIGINT')).code).toBe(0)
  expect((await place.run(['locks', '--watch', '--workspace', 'nope'])).code).toBe(5)
})

test('locks §43: locks --watch and watch exit 0 also when they are told to stop twice', async () => {
  const place = new Place()
  const server = await place.serve()
  await place.run(['put', '/a'], { input: 'x' })
  for (const words of [
    ['locks', '--watch'],
    ['watch', '--since', '0'],
  ]) {
    const watching = place.start(words)
    await watching.says(/\n/)
    // A server that says nothing: the command is still closing when it is told again.
    server.child.kill('SIGSTOP')
    watching.child.kill('SIGINT')
    await pause(300)
    watching.child.kill('SIGINT')
    await pause(100)
    server.child.kill('SIGCONT')
    expect((await watching.ended()).code, words.join(' ')).toBe(0)
  }
})

test('a live view draws in place, fits the rows there are, and gives the terminal back', () => {
  let out = ''
  const terminal = { rows: 3, write: (text: string) => (out += text) }
  const view = new LiveView(terminal)
  view.draw('one\ntwo\nthree\n')
  expect(out).toContain('\u001b[?25l')
  expect(out).toMatch(/one.*\r\ntwo.*\r\nthree/)
  out = ''
  view.draw('one\ntwo\nthree\nfour\n')
  // Nothing is cleared before it is drawn over, and no line scrolls the first one away.
  expect(out).not.toContain('\u001b[2J')
  expect(out).not.toContain('\u001b[?25l')
  expect(out).toContain('… 2 more lines')
  expect(out.match(/\n/g)).toHaveLength(2)
  out = ''
  // So says a terminal that does not know.
  terminal.rows = 0
  view.draw('one\n')
  expect(out).toContain('one')
  out = ''
  view.close()
  view.close()
  expect(out).toBe('\u001b[?7h\u001b[?25h\u001b[?1049l')
})

function parse(text: string): unknown {
  return JSON.parse(text)
}
