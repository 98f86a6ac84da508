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
  /** Bytes `[start, end)` of one file; without `end`: to the end of the file and what is appended. */
  range: z.object({ start: z.number(), end: z.number().optional() }).optional(),
  /** The key that is locked; without it the content. Labels and the like have a key of their own. */
  key: z.literal('metadata').optional(),
  /** Of a waiting request: the version the file must still have when its turn comes. */
  ifVersion: z.number().optional(),
})
const lockTerms = {
  items: z.array(lockItem),
  ttlMs: z.number(),
  renew: z.enum(['activity', 'explicit']),
  intent: z.string().optional(),
  priority: z.number().optional(),
  /** How long the paths stay closed when the hold is lost instead of given back. */
  delayMs: z.number().optional(),
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
    /** The bytes `[start, end)` of the base that became `size` bytes; holds behind move along. */
    splice: z.object({ start: z.number(), end: z.number(), size: z.number() }).optional(),
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
  lock_ttl_s: z.number().min(1).max(86_400),
  file_bytes: z.int().min(0),
  locks_per_agent: z.int().min(0),
  locks_per_workspace: z.int().min(0),
  waiting_per_agent: z.int().min(0),
  waiting_per_workspace: z.int().min(0),
  /** Who is next: by ticket, or by priority with age. */
  order: z.enum(['fcfs', 'priority']),
  /** One step of priority for so many seconds of waiting. */
  age_step_s: z.number().min(0.1).max(3600),
  /** Grants of one contended path to one agent in a row, while another could take it. */
  wins_in_a_row: z.int().min(1).max(1_000_000),
  /** A hold that others wait for is recalled after so long. */
  max_hold_s: z.number().min(1).max(604_800),
  /** Nobody is recalled before having held so long. */
  minimum_hold_s: z.number().min(0).max(3600),
  /** Time a recalled holder has; it may ask for the same once more. */
  recall_grace_s: z.number().min(0).max(3600),
  /** How much more urgent a waiter must be than the holder to have it recalled. */
  recall_margin: z.int().min(1).max(1000),
  /** An agent for whom somebody was recalled is not preferred again for so long. */
  recall_cooldown_s: z.number().min(0).max(86_400),
  /** Used where a lock says nothing: how long its paths stay closed after it is lost. */
  lock_delay_s: z.number().min(0).max(60),
  /** A lock granted to somebody who does not come for it passes on after so long. */
  claim_window_s: z.number().min(1).max(3600),
  /** What a revoked holder wanted to write is kept so long. */
  draft_kept_s: z.number().min(0).max(2_592_000),
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
  'lock-queued': {
    number: 21,
    version: 1,
    data: z.object({
      ...lockTerms,
      /** The lock that the grant will change in place. */
      raises: z.number().optional(),
      /** Any so many of the items will do. */
      any: z.number().optional(),
      /** Its place, where that is not the usual one (core/lock/order.ts). */
      rank: z.number().optional(),
      seq: z.number().optional(),
    }),
  },
  'lock-released': {
    number: 22,
    version: 1,
    data: z.object({
      lock: z.number(),
      reason: z.enum(['released', 'expired', 'unclaimed', 'session-ended', 'forced', 'revoked']),
      /** Who released it, where that was not its owner. */
      by: z.string().optional(),
      why: z.string().optional(),
      /** Lost, and closed to everybody until then (ms since 1970). */
      closedUntil: z.number().optional(),
    }),
  },
  'ticket-left': {
    number: 23,
    version: 1,
    data: z.object({
      ticket: z.number(),
      /** `stale`: its turn came, and `path` no longer had the version it asked for. */
      reason: z.enum(['left', 'session-ended', 'stale']),
      path: z.string().optional(),
      current: z.number().optional(),
    }),
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
  /** A waiting request goes ahead of others: to end a cycle, or because it holds up somebody urgent. */
  'ticket-moved': {
    number: 25,
    version: 1,
    data: z.object({
      ticket: z.number(),
      rank: z.number(),
      seq: z.number(),
      why: z.enum(['deadlock', 'inherited']),
    }),
  },
  /** A hold made weaker in place; its fence stays. */
  'lock-lowered': {
    number: 26,
    version: 1,
    data: z.object({
      lock: z.number(),
      items: z.array(lockItem),
      requestId: z.string().optional(),
    }),
  },
  'lock-recalled': {
    number: 27,
    version: 1,
    data: z.object({
      lock: z.number(),
      reason: z.enum(['priority', 'max-hold', 'upgrade', 'supervisor']),
      deadline: z.number(),
      /** For whom: the agent that waits. */
      for: z.string().optional(),
      why: z.string().optional(),
    }),
  },
  'recall-extended': {
    number: 28,
    version: 1,
    data: z.object({ lock: z.number(), deadline: z.number() }),
  },
  /** Nobody waits for it any more. */
  'recall-ended': { number: 29, version: 1, data: z.object({ lock: z.number() }) },
  /** The hold `lock` goes on as a new one: its id and fence are this event's revision. */
  'lock-handed-over': {
    number: 31,
    version: 1,
    data: z.object({
      lock: z.number(),
      to: z.object({ agent: z.string(), session: z.string() }),
    }),
  },
  /** The delay after a lost hold is over. */
  'lock-opened': { number: 32, version: 1, data: z.object({ lock: z.number() }) },
  /** The ask's number is this event's revision. */
  'holder-asked': {
    number: 33,
    version: 1,
    data: z.object({
      lock: z.number(),
      to: z.object({ agent: z.string(), session: z.string() }),
      paths: z.array(z.string()),
      message: z.string(),
      requestId: z.string().optional(),
    }),
  },
  'ask-answered': {
    number: 34,
    version: 1,
    data: z.object({
      ask: z.number(),
      answer: z.enum(['yield', 'estimate', 'no']),
      estimateS: z.number().optional(),
      message: z.string().optional(),
    }),
  },
  /** What a holder wanted to write when its lock was gone already. */
  'draft-kept': {
    number: 35,
    version: 1,
    data: z.object({
      path: z.string(),
      lock: z.number(),
      base: z.number(),
      sha256: z.string(),
      size: z.number(),
      until: z.number(),
    }),
  },
  'draft-dropped': { number: 36, version: 1, data: z.object({ draft: z.number() }) },
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
      /** It lives as long as a connection. */
      tied: z.literal(true).optional(),
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

/**
 * Where the server's own facts are asked for (agents, tokens, groups, workspaces, sessions): the audit
 * and the events of this name, which no workspace may have. Supervisors, people and admins see them.
 */
export const SERVER_STREAM = '.server'

/** Kinds of facts that no workspace has. */
export const SERVER_KINDS: ReadonlySet<string> = new Set<EventKind>([
  'session-opened',
  'agent-set',
  'agent-removed',
  'token-created',
  'tokens-revoked',
  'group-set',
  'workspace-made',
  'workspace-removed',
])

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
  order: 'fcfs',
  age_step_s: 5,
  wins_in_a_row: 3,
  max_hold_s: 3600,
  minimum_hold_s: 5,
  recall_grace_s: 30,
  recall_margin: 3,
  recall_cooldown_s: 30,
  lock_delay_s: 0,
  claim_window_s: 30,
  draft_kept_s: 24 * 3600,
}
