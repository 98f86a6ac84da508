import { z } from 'zod'

/**
 * The facts of a stream, in the form that is stored for ever.
 *
 * Rules: a number is given once and never reused; a kind that changes shape gets a new version and an
 * upcaster in `EVENT_KINDS`; a retired kind stays here, named. Ledgers written by earlier releases
 * are fixtures in `test/fixtures` and must load.
 */
const level = z.enum(['read', 'write', 'exclusive'])
const lockItem = z.object({
  path: z.string(),
  level,
  stable: z.boolean().optional(),
  scope: z.enum(['file', 'subtree']),
})
const lockTerms = {
  items: z.array(lockItem),
  ttlMs: z.number(),
  renew: z.enum(['activity', 'explicit']),
  intent: z.string().optional(),
  priority: z.number().optional(),
  requestId: z.string().optional(),
}

const fileChange = z.discriminatedUnion('op', [
  /** `base` 0: the file is new. `createdAt` in ms since 1970. */
  z.object({
    op: z.literal('write'),
    how: z.enum(['write', 'append', 'edit', 'copy']),
    path: z.string(),
    folder: z.number(),
    name: z.string(),
    id: z.number(),
    base: z.number(),
    /** Nothing was there: a new file, or a deleted one written anew. */
    created: z.boolean().optional(),
    size: z.number(),
    sha256: z.string(),
    from: z.object({ path: z.string(), version: z.number() }).optional(),
  }),
  z.object({
    op: z.literal('make-folder'),
    path: z.string(),
    folder: z.number(),
    name: z.string(),
    id: z.number(),
  }),
  z.object({
    op: z.literal('move'),
    path: z.string(),
    folder: z.number(),
    name: z.string(),
    to: z.string(),
    toFolder: z.number(),
    toName: z.string(),
  }),
  z.object({
    op: z.literal('delete'),
    path: z.string(),
    folder: z.number(),
    name: z.string(),
  }),
])

const settings = z.object({
  write_mode: z.enum(['checked', 'locked', 'open']),
  portable_names: z.boolean(),
  exclusive_hides_reads: z.boolean(),
  lock_ttl_s: z.number(),
  file_bytes: z.number(),
  locks_per_agent: z.number(),
  locks_per_workspace: z.number(),
  waiting_per_agent: z.number(),
  waiting_per_workspace: z.number(),
})

const role = z.enum(['agent', 'supervisor', 'human', 'admin'])
const pathRight = z.object({
  workspace: z.string(),
  path: z.string(),
  access: z.enum(['none', 'read', 'write']),
})

export const EVENT_KINDS = {
  'workspace-set': { number: 1, version: 1, data: z.object({ settings }) },
  'lock-acquired': {
    number: 20,
    version: 1,
    /** The lock's id and fence are this event's revision. `versions` stands beside `items`. */
    data: z.object({
      ...lockTerms,
      versions: z.array(z.number()),
      ticket: z.number().optional(),
    }),
  },
  'lock-queued': { number: 21, version: 1, data: z.object(lockTerms) },
  'lock-released': {
    number: 22,
    version: 1,
    data: z.object({
      lock: z.number(),
      reason: z.enum(['released', 'expired', 'unclaimed', 'session-ended', 'forced']),
      /** Who released it, where that was not its owner. */
      by: z.string().optional(),
      why: z.string().optional(),
    }),
  },
  'ticket-left': {
    number: 23,
    version: 1,
    data: z.object({ ticket: z.number(), reason: z.enum(['left', 'session-ended']) }),
  },
  /** A hold raised in place; its fence becomes this event's revision. */
  'lock-raised': {
    number: 24,
    version: 1,
    data: z.object({
      lock: z.number(),
      ...lockTerms,
      versions: z.array(z.number()),
      ticket: z.number().optional(),
    }),
  },
  'files-committed': {
    number: 30,
    version: 1,
    data: z.object({
      changes: z.array(fileChange),
      locks: z.array(z.number()).optional(),
      message: z.string().optional(),
      run: z.string().optional(),
      requestId: z.string().optional(),
    }),
  },
  'command-refused': {
    number: 40,
    version: 1,
    data: z.object({
      command: z.string(),
      paths: z.array(z.string()),
      code: z.string(),
      detail: z.string(),
      problem: z.record(z.string(), z.unknown()).optional(),
      count: z.number(),
      requestIds: z.array(z.string()).optional(),
    }),
  },
  'session-opened': {
    number: 50,
    version: 1,
    /** `about` is what the session said of itself: recorded, never trusted. */
    data: z.object({
      id: z.string(),
      ttlMs: z.number(),
      about: z.record(z.string(), z.string()).optional(),
    }),
  },
  'session-ended': {
    number: 51,
    version: 1,
    data: z.object({
      id: z.string(),
      reason: z.enum(['ended', 'disconnected', 'idle', 'agent-removed']),
    }),
  },
  'agent-set': {
    number: 52,
    version: 1,
    data: z.object({
      name: z.string(),
      role,
      group: z.string().optional(),
      rights: z.array(pathRight),
    }),
  },
  'agent-removed': { number: 53, version: 1, data: z.object({ name: z.string() }) },
  'token-created': {
    number: 54,
    version: 1,
    data: z.object({ name: z.string(), sha256: z.string(), label: z.string().optional() }),
  },
  'tokens-revoked': { number: 55, version: 1, data: z.object({ name: z.string() }) },
  'group-set': {
    number: 56,
    version: 1,
    data: z.object({ name: z.string(), rights: z.array(pathRight) }),
  },
  'workspace-made': { number: 57, version: 1, data: z.object({ name: z.string(), settings }) },
  'workspace-removed': { number: 58, version: 1, data: z.object({ name: z.string() }) },
} as const

export type EventKind = keyof typeof EVENT_KINDS

export type EventData<K extends EventKind> = z.infer<(typeof EVENT_KINDS)[K]['data']>

/** What every fact carries. `agent` and `session` say who caused it; times are ms since 1970. */
export interface EventFrame {
  revision: number
  at: number
  agent: string
  session: string
}

export type EventOf<K extends EventKind> = EventFrame & { kind: K } & EventData<K>

export type Event = { [K in EventKind]: EventOf<K> }[EventKind]

/** A fact that has not got its revision yet. */
export type EventDraft = {
  [K in EventKind]: { kind: K; agent: string; session: string } & EventData<K>
}[EventKind]

export type FileChange = z.infer<typeof fileChange>
export type LockItem = z.infer<typeof lockItem>
export type Level = z.infer<typeof level>
export type Settings = z.infer<typeof settings>
export type Role = z.infer<typeof role>
export type PathRight = z.infer<typeof pathRight>
export {
  level as levelSchema,
  pathRight as pathRightSchema,
  role as roleSchema,
  settings as settingsSchema,
}

export const DEFAULT_SETTINGS: Settings = {
  write_mode: 'checked',
  portable_names: true,
  exclusive_hides_reads: false,
  lock_ttl_s: 300,
  file_bytes: 5 * 1024 ** 3,
  locks_per_agent: 10_000,
  locks_per_workspace: 200_000,
  waiting_per_agent: 10_000,
  waiting_per_workspace: 20_000,
}
