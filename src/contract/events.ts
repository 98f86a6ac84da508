import type { z } from 'zod'
import { fileEvents } from './event/file.ts'
import { lockEvents } from './event/lock.ts'
import type { EventFrame, EventRow } from './event/row.ts'
import { serverEvents } from './event/server.ts'
import { optional } from './optional.ts'
import { isoTime } from './time.ts'

/**
 * The facts of a stream: one row a kind, which says how it is stored for ever, whom it concerns and how
 * it is shown.
 *
 * Rules: a number is given once and never reused; a kind that changes shape gets a new version and an
 * upcast in its row; a retired kind stays, named. Ledgers written by earlier releases are fixtures in
 * `test/fixtures` and must load.
 */
export const EVENT_KINDS = { ...serverEvents, ...lockEvents, ...fileEvents } as const

export type EventKind = keyof typeof EVENT_KINDS

export const EVENT_KIND_NAMES = Object.keys(EVENT_KINDS) as EventKind[]

/** The row as its general shape, for code that derives things from every row. */
export function eventRowOf(kind: EventKind): EventRow {
  return EVENT_KINDS[kind] as unknown as EventRow
}

/**
 * Where the server's own facts are asked for (agents, tokens, groups, workspaces, sessions): the audit
 * and the events of this name, which no workspace may have. Supervisors, people and admins see them.
 */
export const SERVER_STREAM = '.server'

/** Kinds of facts that no workspace has. */
export function isOfServerOnly(kind: string): boolean {
  return Object.hasOwn(EVENT_KINDS, kind) && EVENT_KINDS[kind as EventKind].of === 'server'
}

export type EventData<K extends EventKind> = z.infer<(typeof EVENT_KINDS)[K]['data']>

export type EventOf<K extends EventKind> = EventFrame & { kind: K } & EventData<K>

export type Event = { [K in EventKind]: EventOf<K> }[EventKind]

/** A fact that has not got its revision yet. */
export type NewEvent = {
  [K in EventKind]: Omit<EventFrame, 'revision' | 'at'> & { kind: K } & EventData<K>
}[EventKind]

/** A fact as people and programs see it, whatever the door. Times are ISO 8601, durations seconds. */
export type ShownEvent = {
  [K in EventKind]: ShownFrame & { kind: K } & z.infer<(typeof EVENT_KINDS)[K]['shown']>
}[EventKind]

export interface ShownFrame {
  revision: number
  at: string
  agent: string
  session: string
  /** What it is about; absent where it is about no path. */
  paths?: string[]
}

/** @param paths what the fact is about, as far as that is known */
export function shownEvent(event: Event, paths: readonly string[] | undefined): ShownEvent {
  const { revision, at, kind, agent, session } = event
  return {
    ...{ revision, at: isoTime(at), kind, agent, session },
    ...optional('paths', paths && [...paths]),
    ...eventRowOf(kind).show(event as never),
  } as ShownEvent
}

export type { Attributes, FileChange } from './event/file.ts'
export type { Level, LockItem } from './event/lock.ts'
export type { EventFrame } from './event/row.ts'
export {
  DEFAULT_SETTINGS,
  type PathRight,
  pathRight as pathRightSchema,
  type Role,
  role as roleSchema,
  type Settings,
  settings as settingsSchema,
} from './event/settings.ts'
