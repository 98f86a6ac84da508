import { join } from 'node:path'
import { checkCount } from '../../sim/check/count.ts'
import { checkKept } from '../../sim/check/kept.ts'
import { checkLinear, type Timing } from '../../sim/check/linear.ts'
import { checkReads, checkRealTime } from '../../sim/check/order.ts'
import { StreamCheck } from '../../sim/check/stream.ts'
import { History, type Operation } from '../../sim/history.ts'
import type { Event } from '../../src/contract/events.ts'
import { decodeEvents } from '../../src/engine/stream/codec.ts'
import { SqliteLedger } from '../../src/store/ledger/sqlite.ts'

/**
 * The simulator's checkers, over what real clients were told and what a real ledger has. Says how many
 * facts there are; what is wrong goes into `violations`.
 */
export async function examine(
  data: string,
  operations: readonly Operation[],
  counters: readonly string[],
  violations: string[],
): Promise<number> {
  const events = await factsIn(data)
  try {
    const stream = new StreamCheck()
    for (const event of events) stream.accept(event)
    const effects = checkKept(operations, events, stream)
    checkRealTime(effects)
    checkReads(operations, stream)
    checkCount(counters, operations, events)
    const history = new History()
    history.operations.push(...operations)
    checkLinear(history, events, timingsOf(operations, effects, events.length))
  } catch (error) {
    violations.push((error as Error).message)
  }
  return events.length
}

/** Everything the stopped server left in its ledger, in order. */
export async function factsIn(data: string): Promise<Event[]> {
  const ledger = new SqliteLedger(join(data, 'workspaces', 'main', 'ledger.db'))
  await ledger.open()
  const events: Event[] = []
  for await (const { payload, first } of ledger.read(1)) {
    events.push(...decodeEvents(payload, first))
  }
  await ledger.close()
  return events
}

/**
 * When a fact was decided and durable, as far as clients can tell. Decided: after the call was made
 * that brought about this fact or an earlier one. Durable: before the first answer that tells of it or
 * of a later one.
 */
function timingsOf(
  operations: readonly Operation[],
  effects: ReadonlyMap<Operation, number>,
  last: number,
): Map<number, Timing> {
  const timings = new Map<number, Timing>()
  const timingOf = (revision: number): Timing => {
    const timing = timings.get(revision) ?? { decided: 0, durable: 0 }
    timings.set(revision, timing)
    return timing
  }
  for (const [{ invoked }, revision] of effects) {
    const timing = timingOf(revision)
    timing.decided = Math.max(timing.decided, invoked)
  }
  for (const { outcome, revision, returned } of operations) {
    if (outcome !== 'done' || revision === 0) continue
    const timing = timingOf(revision)
    if (timing.durable === 0 || returned < timing.durable) timing.durable = returned
  }
  for (let revision = 2; revision <= last; revision++) {
    const timing = timingOf(revision)
    timing.decided = Math.max(timing.decided, timingOf(revision - 1).decided)
  }
  for (let revision = last - 1; revision > 0; revision--) {
    const timing = timingOf(revision)
    const { durable } = timingOf(revision + 1)
    if (durable > 0 && (timing.durable === 0 || durable < timing.durable)) timing.durable = durable
  }
  return timings
}
