import { Random } from '../chaos/random.ts'
import type { Call } from './call.ts'
import {
  BESIDE,
  BY_LINK,
  CHANGING_ROOTS,
  LARGE,
  LONG,
  ODD,
  ROOTS_AT_START,
  ROOTS_BESIDE,
  type RootsStep,
} from './calls/of-sessions.ts'
import { CALLS } from './calls.ts'
import { type Entry, link } from './folder/entry.ts'
import { entriesOf } from './folder/make.ts'
import { largeEntries, ODD_ENTRIES, ROOTS_ENTRIES } from './folder/other.ts'
import { OUTSIDE, usualEntries } from './folder/usual.ts'
import { generatedCalls } from './generate.ts'
import type { ClientTerms } from './stdio-server.ts'

/** One folder, one client, and what it does there. */
export interface Session {
  name: string
  entries: readonly Entry[]
  /** What is served, from the place that it lies in. */
  served: string
  protocolVersion: ClientTerms['protocolVersion']
  /** The roots that the client has from the start; left out where it knows none. */
  roots?: RootsStep
  steps: readonly (Call | RootsStep)[]
  /** Whether tools are compared as they are described; once for each version of the protocol. */
  isDescribed?: true
}

/** All that is compared. The folder and the generated calls follow from the seed. */
export function sessionsOf(seed: number): Session[] {
  const usual = usualEntries(new Random(seed).fork('folder'))
  const roots = sessionOn(ROOTS_ENTRIES)
  return [
    { ...sessionOn(usual), name: 'by hand', steps: CALLS, isDescribed: true },
    { ...sessionOn(usual), name: 'generated', steps: generatedCalls(seed, usual, GENERATED) },
    { ...roots, name: 'by a link', served: 'linked', steps: BY_LINK },
    { ...roots, name: 'roots', roots: ROOTS_AT_START, steps: CHANGING_ROOTS },
    { ...roots, name: 'roots beside', roots: ROOTS_BESIDE, steps: BESIDE },
    { ...sessionOn(largeEntries()), name: 'large', steps: LARGE },
    { ...roots, name: 'long message', steps: LONG },
    { ...sessionOn(ODD_ENTRIES), name: 'odd names', steps: ODD },
    { ...roots, name: 'no folder', served: 'missing', steps: [] },
    { ...roots, name: 'a file', served: 'folder/docs/plan.md', steps: [] },
    { ...roots, ...NEWER, name: 'newer', steps: BY_LINK },
  ]
}

const GENERATED = 400
const NEWER: Partial<Session> = { protocolVersion: '2025-11-25', isDescribed: true }

function sessionOn(served: readonly Entry[]): Omit<Session, 'name' | 'steps'> {
  return {
    entries: entriesOf(served, [...OUTSIDE, link('linked', 'folder')]),
    served: 'folder',
    protocolVersion: '2025-06-18',
  }
}
