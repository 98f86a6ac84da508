import { z } from 'zod'
import { LIMITS } from '../limits.ts'
import { command, query } from '../operation.ts'
import * as field from './fields.ts'

const locks = field.tokens
  .optional()
  .describe('Tokens of locks to write under; locks of your own session count without them')

const conditions = {
  if_version: field.versionGiven.optional().describe('Refuse unless this is the current version'),
  if_none: field.flag.optional().describe('Refuse if anything is there'),
  locks,
  message: field.message.optional().describe('Why; kept with the version and shown in its history'),
  run: field.name.optional().describe('Groups the commits of one run'),
}

const replacement = z
  .strictObject({
    text: z.string().describe('What stands there afterwards'),
    range: field.range
      .optional()
      .describe('Bytes, as they are now; absent: the one range of the file that you hold'),
  })
  .describe('Replaces bytes of the newest version; locks of others behind them move along')

const lineCount = z.number().int().nonnegative()

const edit = z.strictObject({ oldText: z.string().min(1), newText: z.string() })

const writeErrors = [
  'invalid_path',
  'forbidden',
  'locked',
  'lock_lost',
  'lock_required',
  'stale_version',
  'unseen_version',
  'is_folder',
  'not_folder',
  'already_exists',
  'too_large',
  'server_full',
] as const

const change = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('write'),
    path: field.path,
    text: z.string().optional(),
    base64: z.base64().optional(),
    if_version: field.version.optional(),
    if_none: z.boolean().optional(),
  }),
  z.strictObject({
    op: z.literal('append'),
    path: field.path,
    text: z.string().optional(),
    base64: z.base64().optional(),
  }),
  z.strictObject({ op: z.literal('edit'), path: field.path, edits: z.array(edit).min(1) }),
  z.strictObject({ op: z.literal('make_folder'), path: field.path }),
  z.strictObject({
    op: z.literal('copy'),
    path: field.pathOfOld,
    to: field.path,
    at: field.version.optional().describe('Copy as it was at this revision'),
    overwrite: z.boolean().optional(),
  }),
  z.strictObject({
    op: z.literal('move'),
    path: field.pathOfOld,
    to: field.path,
    overwrite: z.boolean().optional(),
  }),
  z.strictObject({
    op: z.literal('delete'),
    path: field.pathOfOld,
    recursive: z.boolean().optional(),
    if_version: field.version.optional(),
  }),
])

export const fileOperations = {
  read_file: query({
    of: 'workspace',
    summary: 'Content of a file with its version, now or as it was at a revision.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.pathOfOld,
      at: field.versionGiven.optional().describe('Read it as it was at this revision'),
    }),
    output: field.fileFacts,
    content: 'out',
    errors: ['not_found', 'is_folder', 'not_folder', 'forbidden', 'locked', 'compacted'],
    http: { method: 'GET', path: '/workspaces/{workspace}/files/{path+}', status: [200, 206, 304] },
    cli: { command: 'cat', arguments: ['path'] },
  }),
  read_text: query({
    of: 'workspace',
    summary: 'Text of a file: all of it, its first or last lines, or some from an offset on.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.path,
      at: field.versionGiven.optional().describe('Read it as it was at this revision'),
      head: lineCount.optional().describe('Only the first lines'),
      tail: lineCount.optional().describe('Only the last lines'),
      offset: lineCount.optional().describe('Leave out so many lines'),
      limit: lineCount.optional().describe('At most so many lines'),
    }),
    output: z.object({
      path: z.string(),
      version: field.version,
      size: z.int().describe('Bytes of the whole file'),
      text: z.string(),
      encoding: z
        .enum(['utf-8', 'latin1', 'windows-1252', 'utf-16le', 'utf-16be', 'binary'])
        .describe('What the bytes were taken for; a guess unless it is utf-8'),
      lossy: z
        .boolean()
        .optional()
        .describe(
          'Written back this text would be other bytes, so it is no proof for a whole write',
        ),
      cut: z.boolean().optional().describe('More was asked for than one answer takes'),
      next_offset: z.int().optional().describe('Pass it as offset to go on'),
      lock: field.holder.optional(),
    }),
    errors: [
      'not_found',
      'is_folder',
      'not_folder',
      'forbidden',
      'locked',
      'compacted',
      'invalid_request',
    ],
    http: { method: 'GET', path: '/workspaces/{workspace}/text/{path+}', status: [200] },
  }),
  write_file: command({
    of: 'workspace',
    summary: 'Write a whole file. It becomes visible whole or not at all.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.path,
      ...conditions,
      if_exists: field.flag.optional().describe('Refuse unless a file is there'),
    }),
    output: field.written.extend({ created: z.boolean() }),
    content: 'in',
    errors: writeErrors,
    http: { method: 'PUT', path: '/workspaces/{workspace}/files/{path+}', status: [200, 201] },
    cli: { command: 'put', arguments: ['path'] },
  }),
  patch_file: command({
    of: 'workspace',
    summary: 'Append to the newest version of a file, or replace text in it.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.path,
      append: z.string().optional(),
      edits: z.array(edit).min(1).max(1000).optional(),
      replace: replacement.optional(),
      create: field.flag.optional().describe('append: make the file if there is none (default)'),
      dry_run: field.flag.optional().describe('edits: only say what would change'),
      ...conditions,
    }),
    output: field.written.extend({
      created: z.boolean().optional(),
      diff: z
        .string()
        .optional()
        .describe('Unified diff of the edits; a long one is shortened, and says so'),
      dry_run: z.boolean().optional(),
    }),
    errors: [...writeErrors, 'not_found', 'edit_conflict', 'range_invalid', 'invalid_request'],
    http: { method: 'PATCH', path: '/workspaces/{workspace}/files/{path+}', status: [200] },
  }),
  delete_file: command({
    of: 'workspace',
    summary: 'Delete a file, or a folder with all in it. Its history stays readable.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.pathOfOld,
      recursive: field.flag.optional().describe('Needed for a folder that is not empty'),
      if_version: conditions.if_version,
      locks,
      message: conditions.message,
      run: conditions.run,
    }),
    output: field.written,
    errors: [...writeErrors, 'not_found', 'not_empty'],
    http: { method: 'DELETE', path: '/workspaces/{workspace}/files/{path+}', status: [204] },
    cli: { command: 'rm', arguments: ['path'] },
  }),
  commit: command({
    of: 'workspace',
    summary: 'Many changes of one workspace, all or nothing, as one revision.',
    role: 'agent',
    idempotent: false,
    input: z.strictObject({
      workspace: field.workspace,
      changes: z.array(change).min(1).max(LIMITS.commitChanges),
      release: z
        .boolean()
        .optional()
        .describe('Give back the locks it was written under, in the same decision'),
      locks,
      message: conditions.message,
      run: conditions.run,
    }),
    output: z.object({
      revision: z.int(),
      files: z.array(field.written),
      unchanged: z.boolean().optional().describe('Nothing changed, so nothing was recorded'),
    }),
    errors: [...writeErrors, 'not_found', 'not_empty', 'edit_conflict', 'invalid_request'],
    http: { method: 'POST', path: '/workspaces/{workspace}/commits', status: [201] },
  }),
  get_entry: query({
    of: 'workspace',
    summary: 'Facts of one file, or of a folder and what lies in it.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.pathOfOld,
      depth: z
        .number()
        .int()
        .min(0)
        .max(64)
        .default(1)
        .describe('0: facts of the path only; 1: a listing; more: whole subtrees'),
      limit: field.limit.default(LIMITS.listLimit),
      cursor: field.cursor.optional(),
    }),
    output: z.discriminatedUnion('kind', [
      field.fileFacts,
      field.folderFacts.extend({
        entries: z.array(z.discriminatedUnion('kind', [field.fileFacts, field.folderFacts])),
        cursor: z.string().optional().describe('There is more; pass it to go on'),
      }),
    ]),
    errors: ['not_found', 'not_folder', 'forbidden', 'invalid_path'],
    http: { method: 'GET', path: '/workspaces/{workspace}/entries/{path+}', status: [200] },
    cli: { command: 'ls', arguments: ['path'] },
  }),
  get_history: query({
    of: 'workspace',
    summary: 'Versions of a file, newest first.',
    role: 'agent',
    idempotent: true,
    input: z.strictObject({
      workspace: field.workspace,
      path: field.pathOfOld,
      limit: field.limit.default(100),
      before: field.versionGiven.optional().describe('Versions below this one'),
    }),
    output: z.object({
      versions: z.array(
        z.object({
          version: field.version,
          base: field.version,
          how: z.enum(['write', 'append', 'edit', 'copy', 'delete']),
          size: z.int(),
          sha256: z.string().optional().describe('Absent: its content is not kept'),
          at: field.time,
          agent: z.string(),
          session: z.string(),
          message: z.string().optional(),
          run: z.string().optional(),
          from: z.object({ path: z.string(), version: field.version }).optional(),
        }),
      ),
      more: z.boolean(),
    }),
    errors: ['not_found', 'is_folder', 'forbidden'],
    http: { method: 'GET', path: '/workspaces/{workspace}/history/{path+}', status: [200] },
    cli: { command: 'history', arguments: ['path'] },
  }),
} as const
