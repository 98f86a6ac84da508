import { z } from 'zod'
import { CALLER_NAME } from '../caller.ts'
import { LIMITS } from '../limits.ts'
import { canonicalPath, knownPath, type PathResult } from '../path.ts'

/** Fields that many operations share. Descriptions become help text and OpenAPI. */

export const path = pathBy(canonicalPath).describe(
  'Path from the root of the workspace, for example /docs/plan.md',
)
/** Of what is there: also under a name that nothing new may have. */
export const pathOfOld = pathBy(knownPath).describe(
  'Path from the root of the workspace, for example /docs/plan.md',
)

function pathBy(read: (input: string) => PathResult) {
  return z.string().transform((input, context) => {
    const result = read(input)
    if (result.ok) return result.path
    context.addIssue({ code: 'custom', message: result.fault, params: { invalidPath: true } })
    return z.NEVER
  })
}

export const name = z
  .string()
  .regex(CALLER_NAME, '1 to 64 of A–Z a–z 0–9 . _ -')
  .refine((value) => value !== '.' && value !== '..', 'A name must not be "." or ".."')

export const workspace = name.default('main').describe('Workspace; "main" unless told otherwise')
export const agentName = name.describe('Name of the agent, human or service')
export const time = z.string().describe('ISO 8601, UTC')
export const version = z.int().nonnegative().describe('Revision that last changed the file')
export const versionGiven = z.number().int().nonnegative()
export const lockId = z.string().regex(/^L\d{1,16}$/, 'A lock id looks like L1042')
export const ticketId = z.string().regex(/^T\d{1,16}$/, 'A ticket looks like T1050')
export const askId = z.string().regex(/^A\d{1,16}$/, 'A question looks like A1060')
export const draftId = z.string().regex(/^D\d{1,16}$/, 'A draft looks like D1070')
export const sessionId = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._-]{1,64}(\/[A-Za-z0-9._-]{1,64})?$/,
    'A session id looks like agent:name, or agent:name/caller',
  )
export const ttl = z
  .number()
  .min(LIMITS.ttlMs.least / 1000)
  .max(LIMITS.ttlMs.most / 1000)
  .describe('Seconds the lock lives after its owner was last heard; 1 to 86400')
export const wait = z
  .number()
  .min(0)
  .max(LIMITS.waitMsMost / 1000)
  .describe('Seconds to wait in this call, 0 to 25; the place in the queue is kept afterwards')
export const requestId = z
  .string()
  .min(1)
  .max(LIMITS.requestIdBytes)
  .describe('Makes a retry safe: the same id in the same session gets the same answer')
export const tokens = z.union([
  z.array(z.string()),
  z.string().transform((list) => list.split(/\s*,\s*/)),
])
export const proof = tokens
  .optional()
  .describe('The token of the lock: proves it yours where nothing else says who calls')
export const message = z.string().max(LIMITS.messageBytes)
export const limit = z.number().int().min(1).max(LIMITS.listLimit).describe('At most so many')
export const cursor = z
  .string()
  .max(LIMITS.pathBytes * 2)
  .describe('Where the answer before left off')
export const flag = z.boolean()

/** Bytes of a file. */
export const range = z.object({
  start: z.int().nonnegative(),
  end: z.int().nonnegative().optional().describe('Not included; absent: the end, and all appended'),
})
const lockedKey = z.literal('metadata')

export const lock = z.object({
  id: lockId,
  fence: z.int().describe('Only grows; give it to systems outside that can compare it'),
  level: z.enum(['read', 'write', 'exclusive']),
  items: z.array(
    z.object({
      path: z.string(),
      level: z.enum(['read', 'write', 'exclusive']),
      scope: z.enum(['file', 'subtree']),
      stable: z.boolean().optional(),
      range: range.optional(),
      key: lockedKey.optional().describe('Labels and the like are locked, not the content'),
    }),
  ),
  owner: z.string(),
  session: z.string(),
  intent: z.string().optional(),
  granted_at: time,
  expires_at: time,
  ttl: z.number(),
  renew: z.enum(['activity', 'explicit']),
  priority: z.int().optional(),
  lock_delay: z.number().optional(),
  recall: z
    .object({
      reason: z.enum(['priority', 'max-hold', 'upgrade', 'supervisor']),
      deadline: time,
      extended: z.boolean(),
      for: z.string().optional(),
      why: z.string().optional(),
    })
    .optional()
    .describe('It must be given back or lowered before the deadline'),
})

export const holder = z.object({
  agent: z.string(),
  session: z.string(),
  lock: lockId,
  level: z.enum(['read', 'write', 'exclusive']),
  path: z.string(),
  range: range.optional(),
  key: lockedKey.optional(),
  intent: z.string().optional(),
  since: time,
  expires_at: time,
  own: z
    .enum(['gone', 'there'])
    .optional()
    .describe('A session of your own agent; gone: take it back with handover_lock'),
  recalled_until: time.optional().describe('It was told to give it back until then'),
  closed_until: time.optional().describe('The holder lost it; closed to everybody until then'),
})

/** Something a session should know without having asked. */
export const notice = z.object({
  kind: z.enum([
    'waiting',
    'recalled',
    'recall_ended',
    'asked',
    'answered',
    'lost',
    'handed_over',
    'granted',
    'changed',
    'overlapped',
  ]),
  text: z.string().describe('One sentence that says what happened, and what to do'),
  at: time,
  lock: lockId.optional(),
  paths: z.array(z.string()).optional(),
  from: z.object({ agent: z.string(), session: z.string() }).optional(),
  until: time.optional(),
  ticket: ticketId.optional().describe('The request that waits'),
  ask: askId.optional(),
})

export const draft = z.object({
  draft: draftId,
  path: z.string(),
  lock: lockId.describe('The lock that was gone'),
  base: version.describe('The version it was made from; 0: none'),
  size: z.int(),
  sha256: z.string(),
  agent: z.string(),
  session: z.string(),
  at: time,
  until: time.describe('Kept until then'),
})

const diskFacts = z
  .object({
    size: z.number(),
    created_at: time,
    modified_at: time,
    accessed_at: time,
    permissions: z.string().describe('Octal, such as 644'),
  })
  .describe('Of a folder, where one path is asked for: what its file system says')

export const fileFacts = z.object({
  path: z.string(),
  kind: z.literal('file'),
  version: version.describe('In a folder, 0: not looked at yet as it is now'),
  size: z.int(),
  sha256: z.string().optional().describe('Absent: in a folder, and not looked at yet'),
  created_at: time,
  modified_at: time,
  modified_by: z.object({ agent: z.string(), session: z.string() }),
  lock: holder.optional().describe('Somebody holds a write or exclusive lock that covers it'),
  disk: diskFacts.optional(),
  unreachable: z
    .boolean()
    .optional()
    .describe('In a folder on a disk: a link that leads out of it, or to nothing'),
})

export const folderFacts = z.object({
  path: z.string(),
  kind: z.literal('folder'),
  size: z.int().optional().describe('In a folder on a disk: what its file system says'),
  lock: holder.optional(),
  disk: diskFacts.optional(),
})

export const written = z.object({
  path: z.string(),
  version,
  size: z.int().optional(),
  sha256: z.string().optional(),
  unchanged: z
    .boolean()
    .optional()
    .describe('It held just that already: the version is the one it had'),
})

export const folderReport = z.object({
  roots: z.array(z.string()).describe('Real paths'),
  scan: z
    .object({
      done: z.boolean(),
      folders: z.int(),
      files: z.int(),
      untracked: z.int().describe('Left out: ignored, or built-in (node_modules, caches)'),
      unnamed: z.int().describe('Left out: names that no path can have'),
    })
    .describe('The first look through all that is tracked'),
  watching: z.object({
    folders: z.int().describe('Watched'),
    fault: z.string().optional().describe('Why it cannot be watched, and what helps'),
  }),
})
