import { expect, test } from 'vitest'
import { LeaseTable } from '../../src/engine/lock/lease-table.ts'

const START = 1_000_000_000_000
const SECOND = 1000

/** A table in which these locks were granted at the start; the first is 1. */
function tableOf(...ttlsMs: number[]) {
  const table = new LeaseTable(START)
  const owner = { session: 'ann:s' }
  const locks = new Map(
    ttlsMs.map((ttlMs, index) => [index + 1, { id: index + 1, ttlMs, owner, renew: 'explicit' }]),
  )
  for (const revision of locks.keys()) {
    table.follow({ kind: 'lock-acquired', revision } as never, locks as never, START)
  }
  return table
}

const idsOf = (due: { lock: number }[]) => due.map(({ lock }) => lock)

test('locks §27: what is over is proposed until it is decided, and what was renewed moves on', () => {
  const table = tableOf(10 * SECOND, 10 * SECOND, 20 * SECOND)
  expect(table.due(START + 9 * SECOND)).toEqual([])
  table.renew(2, START + 5 * SECOND)
  for (let tick = 0; tick < 3; tick++) {
    expect(idsOf(table.due(START + 10 * SECOND + tick * 200))).toEqual([1])
  }
  table.follow({ kind: 'lock-released', lock: 1 } as never, new Map(), START)
  expect(idsOf(table.due(START + 14 * SECOND))).toEqual([])
  expect(idsOf(table.due(START + 20 * SECOND))).toEqual([2, 3])
})

test('locks §27: at most 1,000 are proposed at once, however many were renewed before them', () => {
  const table = tableOf(...Array.from({ length: 2500 }, () => 10 * SECOND))
  for (let lock = 1; lock <= 1200; lock++) table.renew(lock, START + SECOND)
  expect(idsOf(table.due(START + 10 * SECOND))).toEqual(
    Array.from({ length: 1000 }, (_, index) => 1201 + index),
  )
})
