import { describe, expect, it } from 'vitest'
import { type Act, specOf } from '../../sim/check/linear.ts'
import { type Call, decide } from '../../sim/check/wgl.ts'

const write = (label: number, session = 'a'): Act => ({
  kind: 'write',
  session,
  paths: ['/f'],
  label,
  locks: [],
  how: { isPart: false, isDelete: false, onlyIf: undefined },
})
const read = (label: number): Act => ({ kind: 'read', path: '/f', label })
const hold = (lock: number, session: string, level: 'read' | 'write' | 'exclusive'): Act => ({
  kind: 'hold',
  lock,
  session,
  items: [{ path: '/f', level, scope: 'file' }],
})
const end = (lock: number): Act => ({ kind: 'end', lock })

type Told = [invoked: number, returned: number, act: Act]

function verdictOf(...told: Told[]): string {
  const calls: Call<Act>[] = told.map(([invoked, returned, input]) => ({
    invoked,
    returned,
    input,
  }))
  return decide(specOf(new Map()), calls, 100_000).verdict
}

const NEVER = Number.POSITIVE_INFINITY

describe('a history without a witness', () => {
  it('a read sees the write before it', () => {
    expect(verdictOf([1, 2, write(1)], [3, 4, read(1)])).toBe('linearizable')
    expect(verdictOf([1, 2, write(1)], [3, 4, read(0)])).toBe('not linearizable')
  })

  it('calls at the same time may have come in either order', () => {
    expect(verdictOf([1, 5, write(1)], [2, 4, read(0)])).toBe('linearizable')
    expect(verdictOf([1, 5, write(1)], [2, 4, read(1)])).toBe('linearizable')
  })

  it('what was seen is not unseen again', () => {
    const both: Told[] = [
      [1, 9, write(1)],
      [2, 3, read(1)],
    ]
    expect(verdictOf(...both, [4, 5, read(1)])).toBe('linearizable')
    expect(verdictOf(...both, [4, 5, read(0)])).toBe('not linearizable')
  })

  it('of two writes the last one counts, for everybody alike', () => {
    const writes: Told[] = [
      [1, 4, write(1)],
      [2, 3, write(2)],
    ]
    expect(verdictOf(...writes, [5, 6, read(1)], [7, 8, read(1)])).toBe('linearizable')
    expect(verdictOf(...writes, [5, 6, read(1)], [7, 8, read(2)])).toBe('not linearizable')
  })

  it('a call without an answer may have been done late, or never', () => {
    expect(verdictOf([1, NEVER, write(1)], [2, 3, read(0)], [4, 5, read(1)])).toBe('linearizable')
    expect(verdictOf([1, NEVER, write(1)], [2, 3, read(0)])).toBe('linearizable')
    expect(verdictOf([1, NEVER, write(1)], [2, 3, read(1)], [4, 5, read(0)])).toBe(
      'not linearizable',
    )
  })

  it('a condition on the version holds when the write is done', () => {
    const onlyIf = (label: number, version: number): Act => ({
      ...(write(label) as Extract<Act, { kind: 'write' }>),
      how: { isPart: false, isDelete: false, onlyIf: version },
    })
    const lost: Told[] = [
      [1, 2, write(1)],
      [3, 6, onlyIf(2, 1)],
      [4, 7, onlyIf(3, 1)],
    ]
    expect(verdictOf(...lost)).toBe('not linearizable')
    expect(verdictOf(lost[0] as Told, lost[1] as Told)).toBe('linearizable')
  })

  it('two writers never hold at once', () => {
    expect(verdictOf([1, 2, hold(1, 'a', 'write')], [3, 4, hold(2, 'b', 'write')])).toBe(
      'not linearizable',
    )
    expect(
      verdictOf([1, 2, hold(1, 'a', 'write')], [3, 5, end(1)], [4, 6, hold(2, 'b', 'write')]),
    ).toBe('linearizable')
    expect(verdictOf([1, 2, hold(1, 'a', 'read')], [3, 4, hold(2, 'b', 'write')])).toBe(
      'linearizable',
    )
  })

  it('nobody writes under a lock that has ended, or past that of another', () => {
    const under: Act = { ...(write(1) as Extract<Act, { kind: 'write' }>), locks: [1] }
    const mine: Told = [1, 2, hold(1, 'a', 'write')]
    expect(verdictOf(mine, [3, 4, under])).toBe('linearizable')
    expect(verdictOf(mine, [3, 4, end(1)], [5, 6, under])).toBe('not linearizable')
    expect(verdictOf(mine, [3, 4, write(1, 'b')])).toBe('not linearizable')
  })

  it('too much to try is no pass', () => {
    const many: Told[] = Array.from({ length: 14 }, (_, index) => [1, 100, write(index + 1)])
    const calls = many.map(([invoked, returned, input]) => ({ invoked, returned, input }))
    const impossible = [...calls, { invoked: 101, returned: 102, input: read(99) }]
    expect(decide(specOf(new Map()), impossible, 1000).verdict).toBe('undecided')
  })
})
