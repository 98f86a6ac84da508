import type { Chance } from '../chance.ts'

/**
 * Which faults a run has, and how many: a random few of all, each at a random rate (as in swarm
 * testing), because faults that are always all on hide what only some of them together bring out.
 */
export interface FaultPlan {
  /** Mean of the way of one frame. */
  delayMs: number
  /** Mean of one sync. */
  syncMs: number
  /** Mean times between faults of each kind that comes from outside; absent: none. */
  every: Partial<Record<OutsideFault, number>>
  /** Shares of appends. */
  disk: { full: number; failed: number; unknown: number; slow: number }
  /** Share of writes of the tables that fail. */
  tablesFail: number
  /** Clients' clocks run at 1 ± this. */
  drift: number
}

export const OUTSIDE_FAULTS = [
  'cut',
  'half-open cut',
  'stall to server',
  'stall to client',
  'partition',
  'client pause',
  'client crash',
  'client power loss',
  'server crash',
  'server restart',
  'server pause',
  'clock jump',
  'bit flip',
] as const

export type OutsideFault = (typeof OUTSIDE_FAULTS)[number]

/** Mean times between, in ms, at a rate of 1. */
const USUAL: Record<OutsideFault, number> = {
  cut: 3000,
  'half-open cut': 8000,
  'stall to server': 4000,
  'stall to client': 4000,
  partition: 6000,
  'client pause': 5000,
  'client crash': 8000,
  'client power loss': 10_000,
  'server crash': 6000,
  'server restart': 12_000,
  'server pause': 10_000,
  'clock jump': 10_000,
  'bit flip': 200_000,
}

export function planFaults(chance: Chance): FaultPlan {
  const every: FaultPlan['every'] = {}
  // Some runs have none: what breaks there is no matter of faults.
  if (!chance.happens(0.1)) {
    const share = chance.between(0.1, 0.7)
    for (const kind of OUTSIDE_FAULTS) {
      if (chance.happens(share)) every[kind] = USUAL[kind] * 2 ** chance.between(-1, 1.5)
    }
  }
  const rate = (most: number): number => (chance.happens(0.25) ? chance.between(0, most) : 0)
  return {
    delayMs: chance.pick([0.2, 1, 5, 20]),
    syncMs: chance.pick([0.2, 1, 3, 10]),
    every,
    disk: { full: rate(0.01), failed: rate(0.02), unknown: rate(0.02), slow: rate(0.02) },
    tablesFail: rate(0.5),
    drift: chance.happens(0.5) ? 0.1 : 0,
  }
}
