import { createHash } from 'node:crypto'
import { DEFAULT_SETTINGS, type Event } from '../src/contract/events.ts'
import { InvariantBroken } from '../src/core/check.ts'
import { Chance } from './chance.ts'
import { checkCount } from './check/count.ts'
import { checkFold } from './check/fold.ts'
import { checkKept } from './check/kept.ts'
import { checkLinear } from './check/linear.ts'
import { checkModel } from './check/model.ts'
import { checkReads, checkRealTime } from './check/order.ts'
import { checkEnded } from './check/session.ts'
import { StreamCheck } from './check/stream.ts'
import { checkWatch } from './check/watch.ts'
import { drain, takeUnheard } from './drain.ts'
import { Faults } from './fault/inject.ts'
import { planFaults } from './fault/plan.ts'
import { broken, type History, RuleBroken } from './history.ts'
import type { LockModel } from './model/lock-model.ts'
import { COUNTERS } from './work/action.ts'
import { Client } from './work/client.ts'
import { LOOK_ACTIONS, SEEN } from './work/look-actions.ts'
import { ACTIONS, Worker } from './work/worker.ts'
import { AGENTS } from './world/image.ts'
import { World } from './world/world.ts'

export interface RunOptions {
  seed: number
  /** Calls of clients after which the run comes to its end. */
  ops: number
  /** Also checks the history without the stream as a witness, which costs more. */
  isLinear?: boolean
  /** Judges every decision by the independent model. */
  Model?: typeof LockModel | undefined
}

export interface Run {
  seed: number
  /** What `ops` was asked for, and the calls that came of it. */
  asked: number
  ops: number
  steps: number
  events: number
  simulatedMs: number
  faults: ReadonlyMap<string, number>
  /** Of everything that was decided, asked and answered, in order. */
  hash: string
  failure: { rule: string; what: string; stack: string; step: number } | undefined
  history: History
  stored: readonly Event[]
}

/** One run, from its seed alone. Call it in a macrotask (drain.ts). */
export function simulate({ seed, ops, isLinear = false, Model }: RunOptions): Run {
  const chance = new Chance(seed)
  const world = new World(chance.fork('world'), planFaults(chance.fork('faults')))
  let stored: Event[] = []
  let failure: Run['failure']
  try {
    const workers = perform(world, chance, seed, ops)
    if (world.failure !== undefined) throw world.failure
    const [unheard] = takeUnheard()
    if (unheard !== undefined) throw unheard
    if (!world.isRefused) {
      stored = world.stored()
      examine(world, workers, stored)
      if (Model !== undefined) checkModel(stored, world.decisions, DEFAULT_SETTINGS, Model)
      if (isLinear) checkLinear(world.history, stored, world.timings)
    }
  } catch (error) {
    const { message, stack = '' } = error as Error
    failure = { rule: ruleOf(error), what: message, stack, step: world.loop.step }
    // A broken run is shown as far as it came.
    if (stored.length === 0) stored = safelyStored(world)
  }
  const { history, loop } = world
  return {
    seed,
    asked: ops,
    ops: history.operations.length,
    steps: loop.step,
    events: stored.length,
    simulatedMs: loop.now,
    faults: history.faults,
    hash: hashOf(world),
    failure,
    history,
    stored,
  }
}

/** The core's own assertions begin their message with the rule. */
function ruleOf(error: unknown): string {
  if (error instanceof RuleBroken) return error.rule
  if (error instanceof InvariantBroken) return error.message.split(':', 1)[0] as string
  return 'crash'
}

function safelyStored(world: World): Event[] {
  try {
    return world.stored()
  } catch {
    return []
  }
}

/** Plays the run to its end: work under faults, calm, and then nothing may be left over. */
function perform(world: World, chance: Chance, seed: number, ops: number): Worker[] {
  const { loop, history } = world
  const isEnough = (): boolean => history.operations.length >= ops
  const settle: Settle = (what, limitMs, isSettled) => {
    const until = loop.now + limitMs
    const isOver = (): boolean => world.failure !== undefined || world.isRefused || isSettled()
    loop.run(() => isOver() || loop.now > until)
    if (!isOver()) broken('liveness', `${what()} after ${limitMs} ms`)
  }
  world.startServer()
  drain()
  settle(
    () => 'the first start has not ended',
    60_000,
    () => world.network.listener !== undefined,
  )
  prepare(world, chance.fork('settings'), settle)
  const workers = makeWorkers(world, chance, seed, isEnough)
  const faults = new Faults(world, workers, chance.fork('strikes'))
  for (const worker of workers) {
    loop.after(chance.between(0, 200), worker.client.program, () => worker.start())
  }
  faults.begin()
  settle(() => 'the work goes on', 3_600_000, isEnough)
  faults.calm()
  settle(
    () => `still at it: ${atWork(workers)}`,
    240_000,
    () => workers.every((one) => one.isDone),
  )
  // Tickets of sessions that did not outlive a crash of the server pass on one by one: see "open" in
  // the README.
  settle(
    () => 'locks or waiters are left',
    2 * 3600_000,
    () => isEmpty(world),
  )
  return workers
}

function atWork(workers: readonly Worker[]): string {
  return workers
    .filter((one) => !one.isDone)
    .map((one) => `${one.client.name} ${one.doing}`)
    .join(', ')
}

function isEmpty(world: World): boolean {
  const { listener, server } = { ...world, listener: world.network.listener }
  if (listener === undefined || server === undefined) return false
  const { state, backlog } = server.engine.streamOf('main')
  return state.locks.locks.size === 0 && state.locks.tickets.size === 0 && backlog === 0
}

/** Runs on until it is settled; names `what` stands in the way when that takes too long. */
type Settle = (what: () => string, limitMs: number, isSettled: () => boolean) => void

function prepare(world: World, chance: Chance, settle: Settle): void {
  let isDone = false
  const settings = {
    write_mode: chance.pick(['checked', 'checked', 'locked', 'open'] as const),
    exclusive_hides_reads: chance.happens(0.3),
    lock_ttl_s: chance.pick([2, 10, 60]),
    order: chance.pick(['fcfs', 'priority'] as const),
    age_step_s: chance.pick([1, 5]),
    wins_in_a_row: chance.pick([1, 3]),
    max_hold_s: chance.pick([2, 10, DEFAULT_SETTINGS.max_hold_s]),
    minimum_hold_s: chance.pick([0, 1, 5]),
    recall_grace_s: chance.pick([1, 5, 30]),
    recall_margin: chance.pick([1, 3]),
    recall_cooldown_s: chance.pick([1, 30]),
    lock_delay_s: chance.pick([0, 0, 0, 1]),
    claim_window_s: chance.pick([2, 30]),
  }
  world.administer(settings).then(
    () => {
      isDone = true
    },
    (error: unknown) => world.fail(error),
  )
  drain()
  settle(
    () => 'the settings are not set',
    60_000,
    () => isDone,
  )
}

export const SEEDS_WITH_LOOKER = 1_000_000

function makeWorkers(
  world: World,
  chance: Chance,
  seed: number,
  isEnough: () => boolean,
): Worker[] {
  const count = 3 + chance.int(AGENTS - 2)
  const thinkMs = chance.pick([5, 40, 200])
  const workers: Worker[] = []
  // Each run has its own mix: some things often, some not at all.
  const actions = ACTIONS.map((action) => ({
    ...action,
    weight: action.weight * chance.pick([0, 0.3, 1, 1, 3]),
  })).filter((action) => action.weight > 0)
  const busy = actions.length === 0 ? ACTIONS : actions
  for (let index = 0; index < count; index++) {
    const client = new Client(world, index, chance.fork(`client ${index}`))
    workers.push(new Worker(client, busy, thinkMs, chance.happens(0.1), isEnough))
  }
  // Seeds that were kept before there was somebody who only looks play as they did then.
  if (seed >= SEEDS_WITH_LOOKER) {
    const client = new Client(world, AGENTS, chance.fork('looker'))
    workers.push(new Worker(client, LOOK_ACTIONS, thinkMs, true, isEnough))
  }
  return workers
}

function examine(world: World, workers: readonly Worker[], stored: readonly Event[]): void {
  const { operations } = world.history
  const heard = world.heard.find((event) => stored[event.revision - 1]?.kind !== event.kind)
  if (heard !== undefined) broken('I14', `${heard.kind} ${heard.revision} was durable and is gone`)
  const stream = new StreamCheck()
  for (const event of stored) stream.accept(event)
  const effects = checkKept(operations, stored, stream)
  checkRealTime(effects)
  checkReads(operations, stream)
  checkEnded(operations, stored, world.timings)
  checkCount(COUNTERS, operations, stored)
  for (const { watcher, client } of workers) {
    for (const watched of watcher?.seen ?? []) {
      checkWatch(watched, stored, client.index === AGENTS ? SEEN : '/')
    }
  }
  const engine = world.server?.engine
  if (engine !== undefined) checkFold(stored, engine.streamOf('main').state)
}

function hashOf({ disk, history }: World): string {
  const hash = createHash('sha256')
  for (const { first, payload } of disk.streamOf('main').ledger.rows) {
    hash.update(`${first} `).update(payload)
  }
  for (const one of history.operations) {
    hash.update(`${one.name} ${one.invoked} ${one.returned} ${one.outcome} ${one.revision}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
