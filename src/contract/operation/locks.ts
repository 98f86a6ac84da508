import { z } from 'zod'
import { SESSION_NAME } from '../caller.ts'
import { LIMITS } from '../limits.ts'
import { command, lease, query } from '../operation.ts'
import * as field from './fields.ts'

const level = z.enum(['read', 'write', 'exclusive'])

const wantedRange = field.range
  .optional()
  .describe('Only these bytes of the file; without end: the end of the file and what is appended')
const wantedLines = z
  .strictObject({
    from: z.int().min(1),
    to: z.int().min(1).optional().describe('Included; absent: to the end'),
    version: z.int().nonnegative().describe('The version whose lines are meant'),
  })
  .optional()
  .describe('Only these lines of the file, the first is 1; turned into bytes')
const wantedKey = z
  .enum(['content', 'metadata'])
  .optional()
  .describe('metadata: labels and the like; they have a lock of their own')

const item = z.strictObject({
  path: field.path,
  level: level.optional().describe('Default: the level of the whole request, else write'),
  scope: z
    .enum(['file', 'subtree'])
    .optional()
    .describe('Default: subtree where the path is a folder, else file'),
  range: wantedRange,
  lines: wantedLines,
  key: wantedKey,
  if_version: field.version.optional(),
})

const changedLock = z.object({ lock: field.lock, server_time: field.time })

const granted = z.object({
  status: z.literal('granted'),
  already_held: z.boolean().optional().describe('You had this lock; nothing was granted'),
  raised: z.boolean().optional().describe('A lock that you had was made stronger'),
  lock: field.lock,
  token: z.string().describe('Proves the hold. Seen by the holder only'),
  versions: z
    .record(z.string(), z.int())
    .describe('Version of each file at the grant; 0: none yet'),
  to_read: z
    .array(
      z.object({
        path: z.string(),
        version: field.version,
        yours: field.version.optional().describe('What you last read or wrote; absent: nothing'),
        changed_by: z.object({ agent: z.string(), session: z.string() }),
        changed_at: field.time,
        why: z.string().describe('One sentence that says so'),
      }),
    )
    .optional()
    .describe('Locked files whose content you do not know as it is: read them before you write'),
  server_time: field.time,
})

const queued = z.object({
  status: z.literal('queued'),
  ticket: field.ticketId,
  position: z.int().describe('1: next in line'),
  holders: z.array(field.holder),
  estimate_s: z.number().describe('When the holders in the way end at the latest, if unrenewed'),
})

const acquired = z.discriminatedUnion('status', [granted, queued])

export const lockOperations = {
  acquire_lock: command({
    of: 'workspace',
    summary: 'Take a lock on one or more paths, all or nothing, or queue for it.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.path.optional(),
      items: z.array(item).min(1).max(LIMITS.lockItems).optional(),
      level: level.optional().describe('What it allows and keeps away; default: write'),
      type: level.optional().describe('Another name for level'),
      scope: z
        .enum(['file', 'subtree'])
        .optional()
        .describe('Default: subtree where the path is a folder, else file'),
      range: wantedRange,
      lines: wantedLines,
      key: wantedKey,
      any: z
        .number()
        .int()
        .min(1)
        .max(LIMITS.lockItems)
        .optional()
        .describe('So many of the items will do, the first that are free in the order given'),
      stable: field.flag.optional().describe('A read lock that also keeps writers out'),
      if_version: field.version.optional().describe('Refuse unless this is the current version'),
      ttl: field.ttl.optional(),
      wait: field.wait.default(0),
      queue: field.flag
        .optional()
        .describe('Keep a place in the queue; default: yes when wait is above 0'),
      priority: z
        .number()
        .int()
        .min(0)
        .max(9)
        .optional()
        .describe('Counts where the workspace has order "priority"; default 5, 9 is most urgent'),
      lock_delay: z
        .number()
        .min(0)
        .max(LIMITS.lockDelayMsMost / 1000)
        .optional()
        .describe('Seconds the paths stay closed if the lock is lost instead of released'),
      intent: z.string().max(LIMITS.intentBytes).optional().describe('What for; others see it'),
      renew: z
        .enum(['activity', 'explicit'])
        .optional()
        .describe('activity: any call of the session renews; explicit: only renew_lock does'),
    }),
    output: acquired,
    errors: [
      'lock_conflict',
      'deadlock',
      'upgrade_conflict',
      'stale_version',
      'range_invalid',
      'is_folder',
      'not_found',
      'forbidden',
      'too_many',
      'invalid_request',
      'invalid_path',
    ],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks', status: [201, 202] },
    cli: { command: 'lock', arguments: ['path'] },
  }),
  change_lock: command({
    of: 'workspace',
    summary: 'Make a lock of yours stronger or weaker without letting go of it.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      id: field.lockId,
      locks: field.proof,
      to: level.describe('Weaker is immediate; stronger may have to wait for others'),
      stable: field.flag.optional().describe('With to read: keep writers out too'),
      if_version: field.version.optional().describe('Refuse unless this is the current version'),
      wait: field.wait.default(0),
      queue: field.flag
        .optional()
        .describe('Keep a place in the queue; default: yes when wait is above 0'),
    }),
    output: acquired,
    errors: [
      'lock_lost',
      'lock_conflict',
      'upgrade_conflict',
      'deadlock',
      'stale_version',
      'forbidden',
      'too_many',
    ],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/change', status: [200, 202] },
    cli: { command: 'change', arguments: ['id', 'to'] },
  }),
  handover_lock: command({
    of: 'workspace',
    summary: 'Give a lock of yours to another open session, or take back your own, without a gap.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      id: field.lockId,
      locks: field.proof,
      to: z
        .string()
        .regex(SESSION_NAME, 'agent, or agent:session')
        .optional()
        .describe(
          'An agent (its one open session), or a session as agent:name; absent: take back, to ' +
            'yourself, what a session of your own agent holds that is gone',
        ),
    }),
    output: z.object({
      lock: field.lock.describe('As it goes on: under a new id, fence and token'),
      was: field.lockId,
    }),
    errors: [
      'lock_lost',
      'lock_conflict',
      'forbidden',
      'not_found',
      'deadlock',
      'too_many',
      'invalid_request',
    ],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/handover', status: [200] },
    cli: { command: 'handover', arguments: ['id', 'to'] },
  }),
  ask_holder: command({
    of: 'workspace',
    summary: 'Say something to the holder of a lock. It costs nothing and forces nothing.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      id: field.lockId,
      message: z.string().min(1).max(LIMITS.intentBytes),
    }),
    output: z.object({
      ask: field.askId,
      to: z.object({ agent: z.string(), session: z.string() }),
    }),
    errors: ['lock_lost', 'forbidden', 'too_many', 'invalid_request'],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/ask', status: [200] },
    cli: { command: 'ask', arguments: ['id', 'message'] },
  }),
  answer_ask: command({
    of: 'workspace',
    summary: 'Answer a question about a lock of yours; yield gives it back at once.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      ask: field.askId,
      answer: z.enum(['yield', 'estimate', 'no']),
      estimate_s: z.number().min(0).max(86_400).optional().describe('Seconds you need'),
      message: z.string().min(1).max(LIMITS.intentBytes).optional(),
    }),
    output: z.object({ answered: z.boolean(), released: z.boolean() }),
    errors: ['not_found', 'invalid_request'],
    http: { method: 'POST', path: '/workspaces/{workspace}/asks/{ask}', status: [200] },
    cli: { command: 'answer', arguments: ['ask', 'answer'] },
  }),
  recall_lock: command({
    of: 'workspace',
    summary: 'Tell a holder until when to give a lock back; then it is taken away.',
    role: 'supervisor',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      id: field.lockId,
      reason: z.string().min(1).max(LIMITS.intentBytes).describe('The holder and the audit see it'),
      grace: z
        .number()
        .min(0)
        .max(3600)
        .optional()
        .describe('Seconds; default: the setting recall_grace_s'),
    }),
    output: changedLock,
    errors: ['lock_lost', 'forbidden'],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/recall', status: [200] },
    cli: { command: 'recall', arguments: ['id'] },
  }),
  extend_recall: command({
    of: 'workspace',
    summary: 'Of a recalled lock of yours: have the time to give it back once more.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({ workspace: field.workspace, id: field.lockId, locks: field.proof }),
    output: changedLock,
    errors: ['lock_lost', 'forbidden', 'too_many', 'invalid_request'],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/extend', status: [200] },
    cli: { command: 'extend', arguments: ['id'] },
  }),
  read_draft: query({
    of: 'workspace',
    summary: 'What a session wanted to write when its lock was gone already.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, draft: field.draftId }),
    output: field.draft,
    content: 'out',
    errors: ['not_found', 'forbidden'],
    http: { method: 'GET', path: '/workspaces/{workspace}/drafts/{draft}', status: [200] },
  }),
  list_locks: query({
    of: 'workspace',
    summary: 'Locks with holders and queues, as far as you may see their paths.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.path.optional().describe('Only locks on, above or below this path'),
      owner: field.agentName.optional().describe('Only locks of this agent'),
      statistics: field.flag
        .optional()
        .describe('With how long requests waited for each path since the server started'),
      limit: field.limit.default(LIMITS.listLimit),
      cursor: field.cursor.optional(),
    }),
    output: z.object({
      locks: z.array(field.lock),
      waiting: z.array(
        z.object({
          ticket: field.ticketId,
          agent: z.string(),
          session: z.string(),
          level,
          paths: z.array(z.string()),
          intent: z.string().optional(),
          since: field.time,
          waited_s: z.number(),
          position: z.int(),
          priority: z.int().describe('What it asked with, and a step more for each while it waits'),
          any: z.int().optional(),
          raises: field.lockId.optional().describe('The lock of its own that it makes stronger'),
          blocked_by: z.array(
            z.object({
              agent: z.string(),
              session: z.string(),
              path: z.string(),
              lock: field.lockId.optional(),
              ticket: field.ticketId.optional().describe('Ahead in the queue'),
              closed_until: field.time
                .optional()
                .describe('The lock was lost, and its lock delay keeps the path closed until then'),
            }),
          ),
        }),
      ),
      closed: z
        .array(field.holder)
        .describe('Lost by their holders, and kept closed for a while by their lock delay'),
      statistics: z
        .array(
          z.object({
            path: z.string(),
            waiting: z.int(),
            waits: z.int().describe('Requests that had to wait and were granted'),
            waited_s_total: z.number(),
            waited_s_longest: z.number(),
          }),
        )
        .optional(),
      more: z.boolean(),
      cursor: z.string().optional().describe('There are more; pass it to go on'),
    }),
    errors: ['invalid_path', 'not_found', 'invalid_request'],
    http: { method: 'GET', path: '/workspaces/{workspace}/locks', status: [200] },
    cli: { command: 'locks', arguments: ['path'] },
  }),
  get_lock: query({
    of: 'workspace',
    summary: 'One lock.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, id: field.lockId }),
    output: z.object({ lock: field.lock }),
    errors: ['not_found', 'lock_lost'],
    http: { method: 'GET', path: '/workspaces/{workspace}/locks/{id}', status: [200] },
  }),
  renew_lock: lease({
    of: 'workspace',
    summary: 'Start the full TTL of a lock anew.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, id: field.lockId, locks: field.proof }),
    output: z.object({ lock: field.lock, server_time: field.time }),
    errors: ['lock_lost', 'forbidden'],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/renew', status: [200] },
  }),
  release_lock: command({
    of: 'workspace',
    summary: 'Give a lock back. Releasing it again is fine.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      id: field.lockId,
      locks: field.proof,
      force: field.flag.optional().describe('Take it from its holder; supervisors and people only'),
      reason: z
        .string()
        .min(1)
        .max(LIMITS.intentBytes)
        .optional()
        .describe('Why it is taken; its holder and the audit see it'),
    }),
    output: z.object({ released: z.boolean() }),
    errors: ['forbidden', 'invalid_request'],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/locks/{id}', status: [204] },
    cli: { command: 'unlock', arguments: ['id'] },
  }),
  release_all_locks: command({
    of: 'workspace',
    summary: 'Give back all locks of this session and leave all its queues.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace }),
    output: z.object({ released: z.int(), left: z.int() }),
    errors: [],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/locks', status: [200] },
  }),
  wait_for_lock: lease({
    of: 'workspace',
    summary: 'Go on waiting with a ticket.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      ticket: field.ticketId,
      wait: field.wait.default(20),
    }),
    output: acquired,
    errors: ['ticket_gone', 'stale_version', 'forbidden'],
    http: { method: 'GET', path: '/workspaces/{workspace}/tickets/{ticket}', status: [201, 202] },
  }),
  leave_queue: command({
    of: 'workspace',
    summary: 'Give up a ticket.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, ticket: field.ticketId }),
    output: z.object({ left: z.boolean() }),
    errors: ['forbidden'],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/tickets/{ticket}', status: [204] },
  }),
} as const
