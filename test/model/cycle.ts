import type { Facts, Waiting } from '../../sim/model/facts.ts'
import { anyConflict, merged, pieceOf } from '../../sim/model/leaf.ts'
import { isAhead } from '../../sim/model/queue.ts'
import type { Wanted } from './judged-world.ts'

/** One step of a cycle, as a refusal names it. */
export interface CycleStep {
  session: string
  agent: string
  waits_for: { path: string; level: string }
  held_by: string
}

export function cycleIn(refusal: { data?: Record<string, unknown> } | undefined): CycleStep[] {
  return (refusal?.data?.cycle ?? []) as CycleStep[]
}

/** What is wrong with a cycle that somebody was told, by the facts before the request. */
export function faultOf(
  facts: Facts,
  asked: { session: string; items: readonly Wanted[] },
  cycle: readonly CycleStep[],
): string | undefined {
  const [first] = cycle
  if (first === undefined) return 'it names nobody'
  if (!cycle.some(({ session }) => session === asked.session)) return 'the requester is not in it'
  for (const [index, step] of cycle.entries()) {
    const next = cycle[index + 1] ?? first
    if (step.held_by !== next.session) return `${step.session} leads to nobody`
    if (!waits(facts, asked, step)) return `${step.session} does not wait for ${step.held_by}`
  }
  return undefined
}

function waits(
  facts: Facts,
  asked: { session: string; items: readonly Wanted[] },
  { session, held_by, waits_for }: CycleStep,
): boolean {
  const tickets = [...facts.tickets.values()]
  const pieces = merged(asked.items.map(pieceOf))
  const own: (Pick<Waiting, 'pieces'> & Partial<Waiting>)[] = tickets.filter(
    (one) => one.session === session,
  )
  if (session === asked.session) own.push({ pieces })
  return own.some((ticket) => {
    const wanted = ticket.pieces.filter(({ path }) => path === waits_for.path)
    const isHeld = [...facts.holds.values()].some(
      (hold) => hold.session === held_by && anyConflict(hold.pieces, wanted),
    )
    // Where the request itself stands is not told; it has a place ahead of whom its owner blocks.
    const isBehind = tickets.some(
      (other) =>
        other.session === held_by &&
        anyConflict(other.pieces, wanted) &&
        (ticket.id === undefined || isAhead(other, ticket as Waiting)),
    )
    const isBehindRequest = held_by === asked.session && anyConflict(pieces, wanted)
    return isHeld || isBehind || isBehindRequest
  })
}
