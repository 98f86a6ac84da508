import type { z } from 'zod'

/** What every fact carries. `agent` and `session` say who caused it; times are ms since 1970. */
export interface EventFrame {
  revision: number
  at: number
  agent: string
  session: string
  /** The request that this fact answers (locks §11), and whose it is where not `session`'s. */
  requestId?: string | undefined
  asker?: string | undefined
  /** What the answer says and the fact itself does not. */
  result?: Record<string, unknown> | undefined
}

/**
 * Who may hear of a fact.
 *
 * - `readers`: who may read all its paths; where they are not known (any more), its own agent and
 *   supervisors.
 * - `workspace`: who may read anything in the workspace.
 * - `agent`: its own agent, and supervisors.
 * - `supervisors`: nobody else.
 */
export type Audience = 'readers' | 'workspace' | 'agent' | 'supervisors'

/**
 * One kind of fact, whole: how it lies in the ledger, what it is about, and what of it leaves. There is
 * no default anywhere: what a row does not say does not compile, and what `show` does not give stays in.
 */
export interface EventRow<
  Data extends z.ZodObject = z.ZodObject,
  Shown extends z.ZodObject = z.ZodObject,
> {
  /** Given once, never reused. */
  number: number
  /** Of the stored shape. */
  version: number
  /** Lifts data of version n to n + 1, for each n below `version`. */
  upcasts: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>
  /** Which streams have it. */
  of: 'workspace' | 'server' | 'both'
  /** The stored shape. */
  data: Data
  audience: Audience
  /**
   * What it is about: the paths that it says itself; the revision of the fact that says them, where it
   * names a lock, a ticket, a question or a draft by number; or nothing that has a path.
   */
  about: About<z.output<Data>>
  /** What leaves, in the contract's words and units, besides the frame and the paths. */
  shown: Shown
  show(event: EventFrame & z.output<Data>): z.output<Shown>
  /** One line for the audit. */
  detail(event: EventFrame & z.output<Data>): string
}

export type About<Data> =
  | { paths(data: Data): readonly string[] }
  | { subject(data: Data): number }
  | 'nothing'

/** Keeps the literal types of a row. */
export function event<Data extends z.ZodObject, Shown extends z.ZodObject>(
  row: EventRow<Data, Shown>,
): EventRow<Data, Shown> {
  return row
}

/** Parts of one line; what is absent or empty is left out. */
export function line(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ')
}

/** Of a kind whose first version is still the one that is written. */
export const first = { version: 1, upcasts: {} } as const
