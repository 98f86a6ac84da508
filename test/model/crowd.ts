import { isSameKey, pieceOf } from '../../sim/model/leaf.ts'
import type { Settings } from '../../src/contract/events.ts'
import { actor } from '../core/world.ts'
import { cycleIn, faultOf } from './cycle.ts'
import { Chance, JudgedWorld, type Wanted } from './judged-world.ts'

/** Somebody asks for items, or without them gives back the lock that it has held longest. */
export interface Move {
  who: string
  afterMs: number
  items: Wanted[] | undefined
  any: number | undefined
  priority: number
}

export interface History {
  order: Settings['order']
  moves: Move[]
}

const SESSIONS = ['ann', 'ann:2', 'bob', 'cyd', 'dee']
const PATHS = ['/', '/f', '/f/a', '/f/b', '/g', '/g/a']
const LEVELS = ['read', 'write', 'write', 'exclusive'] as const

export function historyOf(
  seed: number,
  length: number,
  order: History['order'],
  choices: boolean,
): History {
  const chance = new Chance(seed)
  const moves = Array.from({ length }, () => moveOf(chance, choices))
  return { order, moves }
}

function moveOf(chance: Chance, choices: boolean): Move {
  const who = chance.pick(SESSIONS)
  const afterMs = chance.below(2000)
  const priority = chance.below(10)
  if (chance.next() < 0.2) return { who, afterMs, items: undefined, any: undefined, priority }
  const first = itemOf(chance)
  const items = chance.next() < 0.5 ? [first] : [first, wholeItem(chance)]
  const any = choices && items.length > 1 && chance.next() < 0.2 ? 1 : undefined
  return { who, afterMs, items, any, priority }
}

function itemOf(chance: Chance): Wanted {
  if (chance.next() < 0.2) {
    const start = chance.below(6)
    const level = chance.pick(LEVELS)
    return { path: '/file', level, range: { start, end: start + 1 + chance.below(4) } }
  }
  return wholeItem(chance)
}

function wholeItem(chance: Chance): Wanted {
  const level = chance.pick(LEVELS)
  return { path: chance.pick(PATHS), level, stable: level === 'read' && chance.next() < 0.5 }
}

/** Plays a history before the model; every deadlock that is told must be a real one. */
export function play({ order, moves }: History): { deadlocks: number; decisions: number } {
  const judged = new JudgedWorld({ order })
  let deadlocks = 0
  for (const move of moves) {
    judged.world.at += move.afterMs
    if (move.items === undefined) release(judged, move.who)
    else if (holds(judged, move.who, move.items)) continue
    else if (isDeadlock(judged, move, move.items)) deadlocks += 1
  }
  return { deadlocks, decisions: judged.decisions }
}

/** Who asks again for what it has waits for nobody. */
function holds(judged: JudgedWorld, who: string, items: readonly Wanted[]): boolean {
  const { session } = actor(who)
  const own = [...judged.model.facts.holds.values()].filter((one) => one.session === session)
  const pieces = own.flatMap((one) => one.pieces)
  return items.every((item) => pieces.some((piece) => isSameKey(piece, pieceOf(item))))
}

function isDeadlock(judged: JudgedWorld, { who, any, priority }: Move, items: Wanted[]): boolean {
  const { refusal } = judged.acquire(who, items, { any, priority })
  if (refusal?.code !== 'deadlock') return false
  const cycle = cycleIn(refusal)
  const { facts } = judged.model
  const fault = faultOf(facts, { session: actor(who).session, items }, cycle)
  if (fault === undefined) return true
  throw new Error(`locks §23: ${fault}\n${JSON.stringify({ items, cycle })}\n${facts.picture()}`)
}

function release(judged: JudgedWorld, who: string): void {
  const by = actor(who)
  const { locks } = judged.world.state.locks
  const own = [...locks.values()].find(({ owner }) => owner.session === by.session)
  if (own === undefined) return
  judged.decide({ kind: 'release-lock', actor: by, lock: own.id, force: false })
}

/** Leaves out whatever it fails without, and tells what is left. */
export function failureOf(history: History): Error | undefined {
  let failure = failing(history)
  if (failure === undefined) return undefined
  let { moves } = history
  for (let at = moves.length - 1; at >= 0; at--) {
    const without = moves.toSpliced(at, 1)
    const next = failing({ ...history, moves: without })
    if (next === undefined || ruleOf(next) !== ruleOf(failure)) continue
    failure = next
    moves = without
  }
  const told = [
    JSON.stringify({ order: history.order }),
    ...moves.map((one) => JSON.stringify(one)),
  ]
  return new Error(`${failure.message}\n${told.join('\n')}`, { cause: failure })
}

function ruleOf({ message }: Error): string {
  return message.slice(0, message.indexOf(':'))
}

function failing(history: History): Error | undefined {
  try {
    play(history)
    return undefined
  } catch (error) {
    return error as Error
  }
}
