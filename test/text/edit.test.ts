import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SluiceError } from '../../src/contract/errors.ts'
import { runEdit } from '../../src/text/edit-job.ts'
import { EngineWorld } from '../engine/world.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'

/** Edits by bytes: cases C1, C4, C5 and what stands beside them. */
type Edits = { oldText: string; newText: string }[]

function edited(before: string | Uint8Array, edits: Edits) {
  const bytes = typeof before === 'string' ? Buffer.from(before) : Buffer.from(before)
  const outcome = runEdit({ bytes, edits, diffOf: '/f' })
  if (!outcome.ok) return { fault: outcome }
  const { splice, diff } = outcome
  return { text: Buffer.from(outcome.bytes), splice, diff }
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('C1: only the edited bytes change', () => {
  test('C1: line ends of either kind stay beside an edit (MCP, HTTP and engine)', async () => {
    const served = await serveMcpReal()
    const { call } = await connectMcp(served)
    const before = hex('61 0d 0a 62 0a 63')
    const put = () =>
      served.ask('PUT', '/v1/workspaces/main/files/f', { body: new Uint8Array(before) })
    expect((await put()).status).toBe(201)
    const edits = [{ oldText: 'c', newText: 'C' }]
    const dry = await call('edit_file', { path: '/f', edits, dryRun: true })
    expect(dry.text).toContain('\n a\r\n b\n-c\n')
    await call('edit_file', { path: '/f', edits })
    const get = () => served.ask('GET', '/v1/workspaces/main/files/f')
    expect(Buffer.from(await (await get()).arrayBuffer())).toEqual(hex('61 0d 0a 62 0a 43'))
    const again = [{ oldText: 'a\nb', newText: 'a\nB' }]
    await served.ask('PATCH', '/v1/workspaces/main/files/f', { json: { edits: again } })
    expect(Buffer.from(await (await get()).arrayBuffer())).toEqual(hex('61 0d 0a 42 0a 43'))
  })

  test('C1: an edit of line 3 needs nothing of lines 1 and 2, given as context or not', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\r\ntwo\r\nthree\r\n')
    await world.call('ann', 'acquire_lock', { path: '/f', range: { start: 0, end: 10 } })
    const edit = (oldText: string, newText: string) =>
      world.call('bob', 'patch_file', { path: '/f', edits: [{ oldText, newText }] })
    await edit('three', '3')
    await edit('one\ntwo\n3', 'one\ntwo\nthree')
    expect(await world.text('ann', '/f')).toBe('one\r\ntwo\r\nthree\r\n')
    expect(await world.code(edit('two\n', '2\n'))).toBe('locked')
  })

  test('C1+: what is put in at the edge of somebody’s range leaves it alone', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\ntwo\nthree\n')
    await world.call('ann', 'acquire_lock', { path: '/f', range: { start: 4, end: 8 } })
    const edit = (oldText: string, newText: string) =>
      world.call('bob', 'patch_file', { path: '/f', edits: [{ oldText, newText }] })
    await edit('one\ntwo', 'one\nnew\ntwo')
    await edit('two\nthree', 'two\nmore\nthree')
    const { locks } = await world.call('ann', 'list_locks', {})
    expect(locks[0]?.items[0]?.range).toEqual({ start: 8, end: 12 })
    expect((await world.text('ann', '/f')).slice(8, 12)).toBe('two\n')
    expect(await world.code(edit('two', '2'))).toBe('locked')
  })

  test('C1+: what is put in takes the line ends of its place', () => {
    const edits = [{ oldText: 'b\nc', newText: 'b\nnew\nc' }]
    expect(edited('a\r\nb\r\nc\r\n', edits).text?.toString()).toBe('a\r\nb\r\nnew\r\nc\r\n')
    // Of a file with both, those where it lands.
    expect(edited('a\r\nb\nc\n', edits).text?.toString()).toBe('a\r\nb\nnew\nc\n')
    expect(edited('a\nb\n', [{ oldText: 'a', newText: 'a\r\nx' }]).text?.toString()).toBe(
      'a\nx\nb\n',
    )
    expect(edited('a', [{ oldText: 'a', newText: 'a\r\nx' }]).text?.toString()).toBe('a\r\nx')
  })

  test('C1+: a byte order mark and bytes that are no UTF-8 stay as they are', () => {
    const edits = [{ oldText: 'x=1', newText: 'x=2' }]
    expect(edited(hex('ef bb bf 78 3d 31'), edits).text).toEqual(hex('ef bb bf 78 3d 32'))
    expect(edited(hex('63 61 66 e9 0a 78 3d 31 0a'), edits).text).toEqual(
      hex('63 61 66 e9 0a 78 3d 32 0a'),
    )
    // Characters outside of ASCII are looked for, and put, in the encoding of the file.
    const accents = [{ oldText: 'café', newText: 'thé' }]
    expect(edited(hex('63 61 66 e9 0a'), accents).text).toEqual(hex('74 68 e9 0a'))
    const lacking = edited(hex('63 61 66 e9 0a'), [{ oldText: 'café', newText: '漢' }])
    expect(lacking.fault).toMatchObject({ reason: 'characters', encoding: 'latin1' })
  })

  test('C1+: no byte beside the edits changes, whatever the file', () => {
    const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 1e9)
    const line = fc.oneof(
      fc.constantFrom('', ' ', '\t', 'a', 'b', 'end', '}', '\u{1f600}'),
      fc.string({ maxLength: 6 }),
    )
    const piece = fc
      .tuple(
        line.map((text) => Buffer.from(text.replaceAll(/[\r\n\0]/g, '_').toWellFormed())),
        fc.uint8Array({ maxLength: 2, min: 0x80, max: 0xff }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
      )
      .map(([text, bytes, end]) => Buffer.concat([text, bytes, Buffer.from(end)]))
    const file = fc.tuple(fc.constantFrom('', '\ufeff'), fc.array(piece, { maxLength: 8 }))
    const property = fc.property(
      file,
      file,
      fc.constantFrom('one', 'one\ntwo', '\tone\r\ntwo\r\n', 'x\n\ny'),
      fc.constantFrom('', 'ONE', 'one\n2\n', 'a\r\nb\nc'),
      ([mark, before], [, after], middle, newText) => {
        // A marker keeps the old text from standing anywhere else.
        const old = `<<${middle}>>`
        const head = Buffer.concat([Buffer.from(mark), ...before])
        const tail = Buffer.concat(after)
        const bytes = Buffer.concat([head, Buffer.from(old), tail])
        const given = old.replaceAll('\r\n', '\n')
        const result = edited(bytes, [{ oldText: given, newText }])
        const text = result.text as Buffer
        expect(text.subarray(0, head.length)).toEqual(head)
        expect(text.subarray(text.length - tail.length)).toEqual(tail)
        const put = text.subarray(head.length, text.length - tail.length).toString()
        expect(put.replaceAll('\r\n', '\n')).toBe(newText.replaceAll('\r\n', '\n'))
        const { start, end, size } = result.splice as { start: number; end: number; size: number }
        expect(start >= head.length && end <= bytes.length - tail.length).toBe(true)
        expect(bytes.length - (end - start) + size).toBe(text.length)
      },
    )
    fc.assert(property, { seed, numRuns: 400 })
  })

  test('C1+: several edits are as many splices, and the diff shows each once', () => {
    const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 1e9)
    const property = fc.property(
      fc.array(fc.constantFrom('\n', '\r\n'), { minLength: 30, maxLength: 30 }),
      fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 6 }),
      (ends, chosen) => {
        const line = (i: number): string => `line-${i}.`
        const before = ends.map((end, i) => line(i) + end).join('')
        const edits = chosen.map((i) => ({ oldText: line(i), newText: `new-${i}.` }))
        const { text, diff } = edited(before, edits)
        const wanted = ends.map((end, i) => (chosen.includes(i) ? `new-${i}.` : line(i)) + end)
        expect(text?.toString()).toBe(wanted.join(''))
        const shown = (mark: string) =>
          (diff as string).split('\n').filter((one) => one.startsWith(mark) && one[1] !== mark)
        expect(shown('+').map((one) => one.trim())).toEqual(
          [...chosen].sort((a, b) => a - b).map((i) => `+new-${i}.`),
        )
        expect(shown('-')).toHaveLength(chosen.length)
        expect(diff).toMatch(/^@@ -\d+,\d+ \+\d+,\d+ @@$/m)
      },
    )
    fc.assert(property, { seed, numRuns: 200 })
  })

  test('C1+: edits in a row see each other, and where they cancel out nothing has changed', () => {
    const there = [
      { oldText: 'a', newText: 'b' },
      { oldText: 'b', newText: 'c' },
    ]
    expect(edited('_a_', there).text?.toString()).toBe('_c_')
    const { splice } = edited('_a_', [...there, { oldText: 'c', newText: 'a' }])
    expect(splice).toEqual({ start: 1, end: 1, size: 0 })
  })
})

describe('C4: the indentation of the file', () => {
  const cases: [name: string, file: string, oldText: string, newText: string, result: string][] = [
    [
      'C4: blanks given where the file has tabs',
      '\tif a:\n\t\tb()\n',
      '    if a:\n        b()\n',
      '    if a:\n        c()\n        d()\n',
      '\tif a:\n\t\tc()\n\t\td()\n',
    ],
    [
      'C4: a level that the old text does not have',
      '\tif a:\n\t\tb()\n',
      '    if a:\n        b()',
      '    if a:\n        if c:\n            b()',
      '\tif a:\n\t\tif c:\n\t\t\tb()\n',
    ],
    [
      'C4+: tabs given where the file has blanks',
      '    a\n',
      '\ta',
      '\tb\n\t\tc',
      '    b\n        c\n',
    ],
    [
      'C4+: two blanks given where the file has four',
      '    a\n        b\n',
      '  a\n    b',
      '  a\n    c\n      d',
      '    a\n        c\n            d\n',
    ],
    ['C4+: none given', '\t\ta\n\t\tb\n', 'a\nb', 'a\nif c:\n    b', '\t\ta\n\t\tif c:\n\t\t\tb\n'],
    ['C4+: line ends too', '\ta\r\n\tb\r\n', '  a\n  b\n', '  a\n  x\n', '\ta\r\n\tx\r\n'],
    [
      'C4+: blanks at the end of a line that stays',
      '\ta  \n\tb\n',
      ' a\n b',
      ' a\n c',
      '\ta  \n\tc\n',
    ],
    ['C4+: the last line of the file', 'x\n\ta', '  a\n', '  b\n', 'x\n\tb'],
    ['C4+: behind a byte order mark', '\ufeff\ta\n', '  a\n', '  b\n', '\ufeff\tb\n'],
  ]
  for (const [name, file, oldText, newText, result] of cases) {
    test(name, () => {
      expect(edited(file, [{ oldText, newText }]).text?.toString()).toBe(result)
    })
  }

  test('C4: where it cannot be told, the refusal shows the place (MCP)', async () => {
    const served = await serveMcpReal()
    const { call } = await connectMcp(served)
    await call('write_file', { path: '/f', content: 'x\n\tif a:\n\t  b()\n' })
    const edits = [{ oldText: 'if a:\n    b()', newText: 'if a:\n      c()' }]
    const { text, isError, structured } = await call('edit_file', { path: '/f', edits })
    expect({ isError, code: structured.code }).toEqual({ isError: true, code: 'edit_conflict' })
    expect(structured).toMatchObject({ reason: 'indentation', lines: [2] })
    expect(text).toContain('\tif a:\n\t  b()')
  })
})

describe('C5: text that stands there more than once, or not at all', () => {
  test('C5: how often, in which lines, how to say which (every door)', async () => {
    const served = await serveMcpReal()
    const { call } = await connectMcp(served)
    await call('write_file', { path: '/f', content: 'same\nx\nsame\nsame\n' })
    const edits = [{ oldText: 'same', newText: 'other' }]
    const { text, structured } = await call('edit_file', { path: '/f', edits })
    expect(text).toContain('3 times, in lines 1, 3 and 4')
    expect(text).toContain('more of the text around')
    expect(structured).toMatchObject({ reason: 'several', count: 3, lines: [1, 3, 4], edit: 0 })
    const patch = await served.ask('PATCH', '/v1/workspaces/main/files/f', { json: { edits } })
    expect(await patch.json()).toMatchObject({ code: 'edit_conflict', count: 3, lines: [1, 3, 4] })
    const json = { changes: [{ op: 'edit', path: '/f', edits }] }
    const commit = await served.ask('POST', '/v1/workspaces/main/commits', { json })
    expect(await commit.json()).toMatchObject({ code: 'edit_conflict', count: 3 })
  })

  test('C5+: twice in one line, with other line ends or indentation, or very often', () => {
    const fault = (file: string, oldText: string) => edited(file, [{ oldText, newText: 'x' }]).fault
    expect(fault('a a\n', 'a')).toMatchObject({ reason: 'several', count: 2, lines: [1, 1] })
    expect(fault('a\r\nb\na\r\nb\n', 'a\nb')).toMatchObject({ count: 2, lines: [1, 3] })
    expect(fault('\ta\n  a\n', ' a ')).toMatchObject({ count: 2, lines: [1, 2] })
    const often = fault('a\n'.repeat(100), 'a')
    expect(often).toMatchObject({ count: 100, lines: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] })
    expect(fault('a\n', 'b')).toMatchObject({ reason: 'absent', count: 0, lines: [] })
  })

  test('C5: of text that is not there, what is nearest to it', async () => {
    const world = await EngineWorld.start()
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i} of it`)
    await world.call('ann', 'write_file', { path: '/f' }, lines.join('\n'))
    const edits = [{ oldText: 'line 40 of it\nline forty-one', newText: 'x' }]
    const error = await world.call('bob', 'patch_file', { path: '/f', edits }).catch((one) => one)
    expect(error).toBeInstanceOf(SluiceError)
    expect((error as SluiceError).problem).toMatchObject({ reason: 'absent' })
    expect(String((error as SluiceError).problem.excerpt)).toMatch(/^line 38.*line 40/s)
  })
})
