import { homedir } from 'node:os'
import { z } from 'zod'
import type { Door } from '../../contract/door.ts'
import type { Problem } from '../../contract/errors.ts'
import { fail } from '../../contract/errors.ts'
import { canonicalPath, isWithin } from '../../contract/path.ts'

/**
 * What a tool of this face is: a name, a schema, and a translation of its arguments to calls of the
 * door. A tool holds no state and knows no rule of locks or files.
 */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  name: string
  title: string
  description: string
  input: Input
  /** JSON Schema of `structuredContent`; loose, because a refusal must fit it too. */
  output: Record<string, unknown>
  annotations: Annotations
  run(args: z.output<Input>, context: ToolContext): Promise<ToolAnswer>
  /** What stands in `structuredContent` beside the problem when it refuses, to fit `output`. */
  refused?: (text: string, problem: Problem) => Record<string, unknown>
}

export interface Annotations {
  readOnlyHint: boolean
  destructiveHint?: boolean
  idempotentHint?: boolean
  openWorldHint: boolean
}

export interface ToolContext {
  door: Door
  workspace: string
  /** Real folders of a `folder` workspace: absolute paths inside them are taken too, and given. */
  roots: readonly string[] | undefined
  /** Other names that the client has for some of these: links. */
  aliases: ReadonlyMap<string, string>
  /** Folders of the client's machine that a path may be taken from by mistake. */
  hostFolders: readonly string[]
  /** Aborts when the client gives the call up. */
  signal: AbortSignal | undefined
}

export interface ToolAnswer {
  content: ToolContent[]
  structured: Record<string, unknown>
}

export type ToolContent =
  | { type: 'text'; text: string }
  | { type: 'image' | 'audio'; data: string; mimeType: string }
  | { type: 'resource'; resource: { uri: string; mimeType: string; blob: string } }

/** Keeps the types of a tool's arguments within its row. */
export function tool<Input extends z.ZodObject>(row: Tool<Input>): Tool {
  return row as unknown as Tool
}

export const READS: Annotations = { readOnlyHint: true, openWorldHint: false }

/** The shape of all text tools, of the official server and ours. */
export const TEXT_OUTPUT = {
  type: 'object',
  properties: { content: { type: 'string' } },
  required: ['content'],
}
export const VERSIONED_OUTPUT = {
  ...TEXT_OUTPUT,
  properties: { ...TEXT_OUTPUT.properties, version: { type: 'integer' } },
}

export function textAnswer(text: string, more: Record<string, unknown> = {}): ToolAnswer {
  return { content: [{ type: 'text', text }], structured: { content: text, ...more } }
}

/** An answer that had to end: how to go on is said beside the content, not in it. */
export function withMore(
  { content, structured }: ToolAnswer,
  more: string,
  facts: Record<string, unknown> = {},
): ToolAnswer {
  return {
    content: [...content, { type: 'text', text: more }],
    structured: { ...structured, ...facts, more },
  }
}

/** The path of the workspace that an argument means. */
export function pathOf(context: ToolContext, given: string): string {
  const { roots, aliases } = context
  const result = canonicalPath(roots === undefined ? given : asOnDisk(given, roots, aliases))
  if (!result.ok) fail('invalid_path', `${told(given)}: ${result.fault}`, { path: told(given) })
  const { path } = result
  const [root] = roots ?? []
  if (root !== undefined && !/^[/~]/.test(given) && !roots?.some((one) => isWithin(one, path))) {
    fail(
      'forbidden',
      `Access denied - path outside allowed directories: ${path} not in ${roots?.join(', ')}`,
      { path: told(given) },
    )
  }
  if (root === undefined || roots?.length !== 1 || !isWithin(root, path)) return path
  return path.slice(root.length) || '/'
}

/** As the official server reads a path: from the home of whoever runs this, or from the first folder. */
function asOnDisk(
  given: string,
  roots: readonly string[],
  aliases: ReadonlyMap<string, string>,
): string {
  for (const [alias, root] of aliases) {
    if (isWithin(alias, given)) return `${root}${given.slice(alias.length)}`
  }
  if (given === '~' || given.startsWith('~/')) return `${homedir()}${given.slice(1)}`
  const isElsewhere = /^(?:\/|~|[a-z][a-z0-9+.-]*:)|\\/i.test(given)
  return isElsewhere ? given : `${roots[0]}/${given}`
}

/** A path as the client's machine has it, in a folder; else as it is. */
export function shownPath({ roots }: ToolContext, path: string): string {
  return roots?.length === 1 ? `${roots[0]}${path === '/' ? '' : path}` : path
}

/** What is no path may be anything, so it is not told back at any length. */
function told(given: string): string {
  const isLong = given.length > TOLD_MOST
  return (isLong ? `${given.slice(0, TOLD_MOST)}…` : given).toWellFormed()
}

const TOLD_MOST = 300

/** Optional arguments that tools for writing have beside the official ones. */
export const lockToken = z.string().optional().describe('Token of a lock that is not yours')
export const ifVersion = z.int().optional().describe('Refuse unless it is current')

export function locksOf(lockToken: string | undefined): { locks?: string[] } {
  return lockToken === undefined ? {} : { locks: [lockToken] }
}

export function ifVersionOf(version: number | undefined): { if_version?: number } {
  return version === undefined ? {} : { if_version: version }
}
