import { expect, onTestFinished, test } from 'vitest'
import type { SluiceError } from '../../src/contract/errors.ts'
import { EditThread } from '../../src/text/edit-thread.ts'
import { EngineWorld } from '../engine/world.ts'

/** D1: large texts are edited beside the thread that decides, and come out as small ones do. */
function thread(): EditThread {
  const texts = new EditThread()
  onTestFinished(() => texts.close())
  return texts
}

const filler = (lines: number): string =>
  Array.from({ length: lines }, (_, i) => `line ${i}\n`).join('')

test('D1: edits of a large text in the thread and of a small one beside it are the same', async () => {
  const texts = thread()
  const edits = [
    { oldText: 'head', newText: 'HEAD' },
    { oldText: '\ttail', newText: '\tTAIL' },
  ]
  const run = async (middle: string) => {
    const bytes = Buffer.from(`head\r\n${middle}    tail\n`)
    const load = async () => new Uint8Array(bytes)
    const outcome = await texts.edit(bytes.length, load, { edits, diffOf: '/f' })
    if (!outcome.ok) throw new Error(outcome.reason)
    return { text: Buffer.from(outcome.bytes).toString(), diff: outcome.diff }
  }
  const large = filler(100_000)
  for (const middle of ['', large]) {
    const { text, diff } = await run(middle)
    expect(text).toBe(`HEAD\r\n${middle}    TAIL\n`)
    expect(diff?.split('\n').filter((one) => /^[-+](head|HEAD|\s)/.test(one))).toHaveLength(4)
  }
})

test('D1: many large edits of one file wait for each other, and none is lost', async () => {
  const world = await EngineWorld.start()
  const names = Array.from({ length: 12 }, (_, i) => `<${i}>`)
  await world.call('ann', 'write_file', { path: '/f' }, `${filler(60_000)}${names.join('\n')}\n`)
  await Promise.all(
    names.map((name, i) =>
      world.call(`ann:s${i}`, 'patch_file', {
        path: '/f',
        edits: [{ oldText: name, newText: `[${i}]` }],
      }),
    ),
  )
  const text = await world.text('bob', '/f')
  expect(text.endsWith(`\n${names.map((_, i) => `[${i}]`).join('\n')}\n`)).toBe(true)
  await world.engine.close()
})

test('D1: what would be looked through too often is refused with how many edits will do', async () => {
  const edits = Array.from({ length: 200 }, () => ({ oldText: 'a', newText: 'b' }))
  const error = await thread()
    .edit(32 * 1024 * 1024, () => Promise.reject(new Error('not loaded')), { edits })
    .catch((one: unknown) => one)
  expect((error as SluiceError).problem).toMatchObject({ code: 'too_large', limit: 128 })
})

test('D1: a text that cannot be loaded fails its own edit only, and closing ends those that wait', async () => {
  const texts = thread()
  const terms = { edits: [{ oldText: 'x', newText: 'y' }] }
  const size = 1024 * 1024
  const bytes = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(size).fill(0x78, 0, 1))
  const broken = texts.edit(size, () => Promise.reject(new Error('gone')), terms)
  const fine = texts.edit(size, bytes, { edits: [{ oldText: 'zz', newText: 'y' }] })
  await expect(broken).rejects.toThrow('gone')
  expect((await fine).ok).toBe(false)
  // It is still on its way when the thread is closed.
  let arrive = (): void => {}
  const late = (): Promise<Uint8Array> =>
    new Promise((resolve) => {
      arrive = () => void bytes().then(resolve)
    })
  const last = texts.edit(size, late, terms)
  const ended = expect(last).rejects.toMatchObject({ code: 'read_only_mode' })
  await new Promise((resolve) => setImmediate(resolve))
  await texts.close()
  arrive()
  await ended
})

test('D1: a diff that nobody reads to its end is shortened, and says so', async () => {
  const world = await EngineWorld.start()
  const lines = (word: string): string =>
    Array.from({ length: 5000 }, (_, i) => `${word} ${i}`).join('\n')
  await world.call('ann', 'write_file', { path: '/f' }, `first\n${lines('old')}\nlast\n`)
  const edits = [{ oldText: lines('old'), newText: lines('new') }]
  const terms = { path: '/f', edits }
  const dry = await world.call('ann', 'patch_file', { ...terms, dry_run: true })
  const { diff } = await world.call('ann', 'patch_file', terms)
  expect(diff).toBe(dry.diff)
  expect(diff?.length).toBeLessThan(100_000)
  expect(diff).toContain('-old 0\n')
  expect(diff).toContain('+new 0\n')
  expect(diff).toContain('@@ -1,5002 +1,5002 @@')
  expect(diff).toMatch(
    /\.\.\. 9200 more lines of this diff are not shown; the change itself is whole/,
  )
  expect(await world.text('bob', '/f')).toBe(`first\n${lines('new')}\nlast\n`)
})
