import { z } from 'zod'
import { LIMITS } from '../limits.ts'
import { operation } from '../operation.ts'
import * as field from './fields.ts'

const level = z.enum(['read', 'write', 'exclusive'])

const item = z.strictObject({
  path: field.path,
  level: level.optional().describe('Default: the level of the whole request, else write'),
  scope: z
    .enum(['file', 'subtree'])
    .optional()
    .describe('Default: subtree where the path is a folder, else file'),
  if_version: field.version.optional(),
})

const granted = z.object({
  status: z.literal('granted'),
  already_held: z.boolean().optional(),
  lock: field.lock,
  token: z.string().describe('Proves the hold. Seen by the holder only'),
  versions: z
    .record(z.string(), z.int())
    .describe('Version of each file at the grant; 0: none yet'),
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
  acquire_lock: operation({
    kind: 'command',
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
      stable: field.flag.optional().describe('A read lock that also keeps writers out'),
      if_version: field.version.optional().describe('Refuse unless this is the current version'),
      ttl: field.ttl.optional(),
      wait: field.wait.default(0),
      queue: field.flag
        .optional()
        .describe('Keep a place in the queue; default: yes when wait is above 0'),
      priority: z.coerce
        .number()
        .int()
        .min(0)
        .max(9)
        .optional()
        .describe('Recorded; the order is first come, first served'),
      intent: z.string().max(LIMITS.intentBytes).optional().describe('What for; others see it'),
      renew: z
        .enum(['activity', 'explicit'])
        .optional()
        .describe('activity: any call of the session renews; explicit: only renew_lock does'),
      request_id: field.requestId.optional(),
    }),
    output: acquired,
    errors: [
      'lock_conflict',
      'stale_version',
      'is_folder',
      'forbidden',
      'too_many',
      'invalid_request',
      'invalid_path',
    ],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks', status: [201, 202] },
    cli: { command: 'lock', arguments: ['path'] },
  }),
  list_locks: operation({
    kind: 'query',
    summary: 'Locks with holders and queues, as far as you may see their paths.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.path.optional().describe('Only locks on, above or below this path'),
      owner: field.agentName.optional().describe('Only locks of this agent'),
      limit: field.limit.default(LIMITS.listLimit),
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
          position: z.int(),
        }),
      ),
      more: z.boolean(),
    }),
    errors: ['invalid_path', 'not_found'],
    http: { method: 'GET', path: '/workspaces/{workspace}/locks', status: [200] },
    cli: { command: 'locks', arguments: ['path'] },
  }),
  get_lock: operation({
    kind: 'query',
    summary: 'One lock.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, id: field.lockId }),
    output: z.object({ lock: field.lock }),
    errors: ['not_found', 'lock_lost'],
    http: { method: 'GET', path: '/workspaces/{workspace}/locks/{id}', status: [200] },
  }),
  renew_lock: operation({
    kind: 'query',
    summary: 'Start the full TTL of a lock anew.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, id: field.lockId }),
    output: z.object({ lock: field.lock, server_time: field.time }),
    errors: ['lock_lost', 'forbidden'],
    http: { method: 'POST', path: '/workspaces/{workspace}/locks/{id}/renew', status: [200] },
  }),
  release_lock: operation({
    kind: 'command',
    summary: 'Give a lock back. Releasing it again is fine.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      id: field.lockId,
      force: field.flag.optional().describe('Take it from its holder; supervisors and people only'),
      reason: z
        .string()
        .min(1)
        .max(LIMITS.intentBytes)
        .optional()
        .describe('Why it is taken; its holder and the audit see it'),
      request_id: field.requestId.optional(),
    }),
    output: z.object({ released: z.boolean() }),
    errors: ['forbidden', 'invalid_request'],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/locks/{id}', status: [204] },
    cli: { command: 'unlock', arguments: ['id'] },
  }),
  release_all_locks: operation({
    kind: 'command',
    summary: 'Give back all locks of this session and leave all its queues.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace }),
    output: z.object({ released: z.int(), left: z.int() }),
    errors: [],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/locks', status: [200] },
  }),
  wait_for_lock: operation({
    kind: 'query',
    summary: 'Go on waiting with a ticket.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      ticket: field.ticketId,
      wait: field.wait.default(20),
    }),
    output: acquired,
    errors: ['ticket_gone', 'forbidden'],
    http: { method: 'GET', path: '/workspaces/{workspace}/tickets/{ticket}', status: [201, 202] },
  }),
  leave_queue: operation({
    kind: 'command',
    summary: 'Give up a ticket.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace, ticket: field.ticketId }),
    output: z.object({ left: z.boolean() }),
    errors: ['forbidden'],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/tickets/{ticket}', status: [204] },
  }),
} as const
