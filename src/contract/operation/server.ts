import { z } from 'zod'
import {
  pathRight as pathRightSchema,
  role as roleSchema,
  settings as settingsSchema,
} from '../event/settings.ts'
import { command, query } from '../operation.ts'
import * as field from './fields.ts'

const session = z.object({
  id: field.sessionId,
  agent: z.string(),
  ttl: z.number(),
  opened_at: field.time,
  connected: z.boolean(),
  locks: z.int(),
  about: z.record(z.string(), z.string()).optional(),
})

const workspaceFacts = z.object({
  name: z.string(),
  kind: z.enum(['managed', 'folder']),
  folder: field.folderReport
    .optional()
    .describe('Of a folder: where it lies and how it is kept in step'),
  revision: z.int(),
  settings: settingsSchema,
})

const right = z.strictObject({
  workspace: z.string().max(64).default('*').describe('A workspace, or * for all'),
  path: field.path,
  access: z.enum(['none', 'read', 'write']),
})

const agentFacts = z.object({
  name: z.string(),
  role: roleSchema,
  group: z.string().optional(),
  rights: z.array(pathRightSchema).describe('Its own'),
  in_force: z
    .array(pathRightSchema.extend({ from: z.enum(['own', 'group', 'default']) }))
    .describe('All that it may do, and from where; the most specific path decides'),
  tokens: z.int(),
  sessions: z.int(),
})

const groupFacts = z.object({ name: z.string(), rights: z.array(pathRightSchema) })

export const serverOperations = {
  open_session: command({
    of: 'server',
    summary: 'Open a session: one run of an agent, which its locks belong to.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      agent: field.agentName.optional().describe('Admins only: open it for this agent'),
      name: field.name.optional().describe('Name of the session; made up if absent'),
      secret: z.string().max(256).optional().describe('Resume the session of that name'),
      ttl: z
        .number()
        .min(10)
        .max(7 * 86_400)
        .default(3600)
        .describe('Seconds an idle session without locks is kept'),
      tied: field.flag
        .optional()
        .describe('It is kept by a connection: without one, and after a grace, it is gone'),
      about: z
        .record(z.string().max(64), z.string().max(256))
        .refine((fields) => Object.keys(fields).length <= 16, 'At most 16 fields')
        .optional()
        .describe('What you say of yourself (model, task): recorded, never trusted'),
    }),
    output: z.object({
      id: field.sessionId,
      secret: z.string().describe('Resumes the session after a lost connection'),
      agent: z.string(),
      ttl: z.number(),
      resumed: z.boolean(),
    }),
    errors: ['forbidden', 'unauthenticated', 'already_exists', 'too_many'],
    http: { method: 'POST', path: '/sessions', status: [201] },
  }),
  list_sessions: query({
    of: 'server',
    summary: 'Open sessions; agents see their own, supervisors all.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({}),
    output: z.object({ sessions: z.array(session) }),
    errors: [],
    http: { method: 'GET', path: '/sessions', status: [200] },
  }),
  end_session: command({
    of: 'server',
    summary: 'End a session: its locks go back, its tickets are dropped.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ id: field.sessionId }),
    output: z.object({ ended: z.boolean() }),
    errors: ['forbidden'],
    http: { method: 'DELETE', path: '/sessions/{id}', status: [204] },
  }),
  list_workspaces: query({
    of: 'server',
    summary: 'The workspaces of this server.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({}),
    output: z.object({ workspaces: z.array(workspaceFacts) }),
    errors: [],
    http: { method: 'GET', path: '/workspaces', status: [200] },
  }),
  get_workspace: query({
    of: 'server',
    summary: 'One workspace and its settings.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.name }),
    output: workspaceFacts,
    errors: ['not_found'],
    http: { method: 'GET', path: '/workspaces/{workspace}', status: [200] },
  }),
  put_workspace: command({
    of: 'server',
    summary: 'Make a workspace, or change its settings.',
    role: 'admin',
    idempotent: true,
    input: z.strictObject({
      workspace: field.name,
      settings: z.strictObject(settingsSchema.partial().shape).default({}),
    }),
    output: workspaceFacts.extend({ created: z.boolean() }),
    errors: ['forbidden', 'invalid_request'],
    http: { method: 'PUT', path: '/workspaces/{workspace}', status: [200, 201] },
  }),
  delete_workspace: command({
    of: 'server',
    summary: 'Take a workspace out of service. Its data stays in the data folder.',
    role: 'admin',
    idempotent: true,
    input: z.strictObject({ workspace: field.name }),
    output: z.object({ removed: z.boolean() }),
    errors: ['forbidden', 'invalid_request'],
    http: { method: 'DELETE', path: '/workspaces/{workspace}', status: [204] },
  }),
  list_agents: query({
    of: 'server',
    summary: 'Who may connect.',
    role: 'supervisor',
    idempotent: true,
    input: z.strictObject({}),
    output: z.object({ agents: z.array(agentFacts) }),
    errors: ['forbidden'],
    http: { method: 'GET', path: '/agents', status: [200] },
    cli: { command: 'agents', arguments: [] },
  }),
  get_agent: query({
    of: 'server',
    summary: 'One agent.',
    role: 'supervisor',
    idempotent: true,
    input: z.strictObject({ name: field.agentName }),
    output: agentFacts,
    errors: ['forbidden', 'not_found'],
    http: { method: 'GET', path: '/agents/{name}', status: [200] },
  }),
  put_agent: command({
    of: 'server',
    summary: 'Make or change an agent: role, group and rights on paths.',
    role: 'admin',
    idempotent: true,
    input: z.strictObject({
      name: field.agentName,
      role: roleSchema.default('agent').describe('agent, supervisor, human or admin'),
      group: field.name.optional().describe('Group whose rights it has besides its own'),
      rights: z
        .array(right)
        .max(1000)
        .default([])
        .describe('All that it may do, besides its group’s; without any grant: write everywhere'),
    }),
    output: agentFacts.extend({ created: z.boolean() }),
    errors: ['forbidden', 'invalid_request', 'not_found'],
    http: { method: 'PUT', path: '/agents/{name}', status: [200, 201] },
  }),
  delete_agent: command({
    of: 'server',
    summary: 'Remove an agent: its tokens stop working, its sessions end.',
    role: 'admin',
    idempotent: true,
    input: z.strictObject({ name: field.agentName }),
    output: z.object({ removed: z.boolean() }),
    errors: ['forbidden'],
    http: { method: 'DELETE', path: '/agents/{name}', status: [204] },
  }),
  create_token: command({
    of: 'server',
    summary: 'Make a token for an agent. It is shown once.',
    role: 'admin',
    idempotent: false,
    input: z.strictObject({
      name: field.agentName,
      label: z.string().max(64).optional().describe('What it is for'),
      revoke_others: field.flag.optional().describe('Stop all earlier tokens of the agent'),
    }),
    output: z.object({ agent: z.string(), token: z.string() }),
    errors: ['forbidden', 'not_found', 'too_many'],
    http: { method: 'POST', path: '/agents/{name}/tokens', status: [201] },
    cli: { command: 'token', arguments: ['name'] },
  }),
  put_group: command({
    of: 'server',
    summary: 'Set the rights on paths of a group. An agent’s own rights come first.',
    role: 'admin',
    idempotent: true,
    input: z.strictObject({ name: field.name, rights: z.array(right).max(1000) }),
    output: groupFacts,
    errors: ['forbidden'],
    http: { method: 'PUT', path: '/groups/{name}', status: [200] },
  }),
  list_groups: query({
    of: 'server',
    summary: 'Groups and their rights on paths.',
    role: 'supervisor',
    idempotent: true,
    input: z.strictObject({}),
    output: z.object({ groups: z.array(groupFacts) }),
    errors: ['forbidden'],
    http: { method: 'GET', path: '/groups', status: [200] },
    cli: { command: 'groups', arguments: [] },
  }),
  workspace_status: query({
    of: 'workspace',
    summary: 'Your locks, tickets and rights in a workspace, and how busy it is.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace }),
    output: z.object({
      workspace: z.string(),
      agent: z.string(),
      session: z.string(),
      role: roleSchema,
      revision: z.int(),
      locks: z.array(field.lock),
      tickets: z.array(
        z.object({ ticket: field.ticketId, paths: z.array(z.string()), position: z.int() }),
      ),
      rights: z.array(pathRightSchema),
      totals: z.object({ locks: z.int(), waiting: z.int() }),
      messages: z.array(field.notice).describe('What you should know, the newest last'),
      drafts: z.array(field.draft).describe('Writes of yours that came after their lock was gone'),
      folder: field.folderReport.optional(),
      server_time: field.time,
    }),
    errors: ['not_found'],
    http: { method: 'GET', path: '/workspaces/{workspace}/status', status: [200] },
    cli: { command: 'status', arguments: [] },
  }),
  query_audit: query({
    of: 'stream',
    summary: 'Who did or tried what, newest first; agents see their own rows, supervisors all.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      agent: field.agentName.optional().describe('Rows of this agent'),
      path: field.path.optional().describe('Rows that name this path or anything below it'),
      kind: z.string().max(64).optional().describe('Rows of this kind of event'),
      outcome: z.enum(['done', 'refused']).optional().describe('Rows with this outcome'),
      since: field.time.optional().describe('Rows from this time on, ISO 8601'),
      until: field.time.optional().describe('Rows up to this time, ISO 8601'),
      before: z.number().int().positive().optional().describe('Rows below this revision'),
      limit: field.limit.default(100),
    }),
    output: z.object({
      rows: z.array(
        z.object({
          revision: z.int(),
          at: field.time,
          agent: z.string(),
          session: z.string(),
          about: z.record(z.string(), z.string()).optional(),
          kind: z.string(),
          paths: z.array(z.string()),
          outcome: z.enum(['done', 'refused']),
          code: z.string().optional(),
          count: z.int(),
          detail: z.string(),
        }),
      ),
      more: z.boolean(),
    }),
    errors: ['not_found', 'forbidden', 'compacted'],
    http: { method: 'GET', path: '/workspaces/{workspace}/audit', status: [200] },
    cli: { command: 'log', arguments: ['path'] },
  }),
  verify_audit: query({
    of: 'stream',
    summary: 'Read the whole ledger and check its sums and its hash chain.',
    role: 'supervisor',
    idempotent: true,
    input: z.strictObject({ workspace: field.workspace }),
    output: z.object({
      ok: z.boolean(),
      from: z.int(),
      to: z.int(),
      batches: z.int(),
      hash: z.string().describe('Hash of the last batch: note it elsewhere to notice a cut tail'),
      fault: z.string().optional(),
    }),
    errors: ['forbidden', 'not_found'],
    http: { method: 'GET', path: '/workspaces/{workspace}/audit/verify', status: [200] },
  }),
} as const
