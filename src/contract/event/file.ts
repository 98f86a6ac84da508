import { z } from 'zod'
import * as field from '../operation/fields.ts'
import { optional } from '../optional.ts'
import { isoTime } from '../time.ts'
import { event, first, line } from './row.ts'

/** The facts about files: commits, and writes that came too late. */

/** By name; which there are, the core says (core/file/attributes.ts). */
const attribute = z.union([z.string(), z.number(), z.boolean()])
const attributes = z.record(z.string(), attribute)

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
    /** Empty: the content lies in the folder alone, and has not been looked at yet (folder §5). */
    sha256: z.string(),
    /** Of a change from outside: when the file says it was changed, ms since 1970. */
    modifiedAt: z.number().optional(),
    from: z.object({ path: z.string(), version: z.number() }).optional(),
    /** The bytes `[start, end)` of the base that became `size` bytes; holds behind move along. */
    splice: z.object({ start: z.number(), end: z.number(), size: z.number() }).optional(),
    /** Those of a new file; one that was there keeps its own. */
    attributes: attributes.optional(),
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
  /** Of a file or folder; null takes one away. The content, and its version, stay. */
  z.object({
    op: z.literal('set-attributes'),
    path: z.string(),
    folder: z.number(),
    name: z.string(),
    set: z.record(z.string(), attribute.nullable()),
  }),
])

export type Attributes = z.infer<typeof attributes>
export type FileChange = z.infer<typeof fileChange>

const shownChange = z.discriminatedUnion('op', [
  z.object({
    op: z.enum(['write', 'append', 'edit', 'copy']),
    path: z.string(),
    base: field.version.describe('The version before; 0: the file is new'),
    created: z.boolean().optional(),
    size: z.int(),
    sha256: z.string(),
    from: z.object({ path: z.string(), version: field.version }).optional(),
  }),
  z.object({ op: z.literal('make_folder'), path: z.string() }),
  z.object({ op: z.literal('move'), path: z.string(), to: z.string() }),
  z.object({ op: z.literal('delete'), path: z.string() }),
  z.object({
    op: z.literal('set_attributes'),
    path: z.string(),
    set: z.record(z.string(), attribute.nullable()),
  }),
])

function changeShown(change: FileChange): z.output<typeof shownChange> {
  const { path } = change
  switch (change.op) {
    case 'write': {
      const { how: op, base, created, size, sha256, from } = change
      const facts = { op, path, base, size, sha256 }
      return { ...facts, ...optional('created', created), ...optional('from', from) }
    }
    case 'make-folder':
      return { op: 'make_folder', path }
    case 'move':
      return { op: 'move', path, to: change.to }
    case 'delete':
      return { op: 'delete', path }
    case 'set-attributes':
      return { op: 'set_attributes', path, set: change.set }
  }
}

function countedOps(changes: readonly FileChange[]): string {
  const ops = changes.map((change) => changeShown(change).op)
  const counts = [...new Set(ops)].map((op) => `${op} ${ops.filter((one) => one === op).length}`)
  return counts.join(', ')
}

/** What a change is about: of a move or a copy, its target as well. */
export function pathsOfChange(change: { path: string } | { path: string; to: string }): string[] {
  return 'to' in change ? [change.path, change.to] : [change.path]
}

export const fileEvents = {
  'files-committed': event({
    ...first,
    number: 30,
    of: 'workspace',
    audience: 'readers',
    data: z.object({
      changes: z.array(fileChange),
      locks: z.array(z.number()).optional(),
      message: z.string().optional(),
      run: z.string().optional(),
    }),
    about: {
      paths: ({ changes }) => changes.flatMap(pathsOfChange),
    },
    shown: z.object({
      changes: z.array(shownChange),
      locks: z.array(field.lockId).optional().describe('Whose tokens were presented'),
      message: z.string().optional(),
      run: z.string().optional(),
    }),
    show: ({ changes, locks, message, run }) => ({
      changes: changes.map(changeShown),
      ...(locks === undefined ? {} : { locks: locks.map((lock) => `L${lock}`) }),
      ...optional('message', message),
      ...optional('run', run),
    }),
    detail: ({ changes, message }) => [countedOps(changes), message].filter(Boolean).join(': '),
  }),
  /** What a folder alone had, and is kept from now on: no version, only its content (folder §5). */
  'contents-kept': event({
    ...first,
    number: 37,
    of: 'workspace',
    audience: 'readers',
    data: z.object({
      files: z.array(
        z.object({
          path: z.string(),
          folder: z.number(),
          name: z.string(),
          id: z.number(),
          version: z.number(),
          size: z.number(),
          sha256: z.string(),
        }),
      ),
    }),
    about: { paths: ({ files }) => files.map(({ path }) => path) },
    shown: z.object({
      files: z.array(z.object({ path: z.string(), version: field.version, sha256: z.string() })),
    }),
    show: ({ files }) => ({
      files: files.map(({ path, version, sha256 }) => ({ path, version, sha256 })),
    }),
    detail: ({ files }) => `${files.length} files`,
  }),
  /** What a holder wanted to write when its lock was gone already. */
  'draft-kept': event({
    ...first,
    number: 35,
    of: 'workspace',
    audience: 'readers',
    data: z.object({
      path: z.string(),
      lock: z.number(),
      base: z.number(),
      sha256: z.string(),
      size: z.number(),
      until: z.number(),
    }),
    about: { paths: ({ path }) => [path] },
    shown: z.object({
      draft: field.draftId,
      lock: field.lockId.describe('The lock that was gone'),
      base: field.version.describe('The version it was made from; 0: none'),
      size: z.int(),
      until: field.time,
    }),
    show: ({ revision, lock, base, size, until }) => ({
      draft: `D${revision}`,
      lock: `L${lock}`,
      base,
      size,
      until: isoTime(until),
    }),
    detail: ({ size, lock }) => line(`${size} bytes`, `after L${lock}`),
  }),
  'draft-dropped': event({
    ...first,
    number: 36,
    of: 'workspace',
    audience: 'readers',
    data: z.object({ draft: z.number() }),
    about: { subject: ({ draft }) => draft },
    shown: z.object({ draft: field.draftId }),
    show: ({ draft }) => ({ draft: `D${draft}` }),
    detail: ({ draft }) => `D${draft}`,
  }),
}
