import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { isWithin } from '../../contract/path.ts'
import type { ToolContext } from './tool.ts'

type Entry = Output<'get_entry'>
export type ListedEntry = Extract<Entry, { kind: 'folder' }>['entries'][number]

export interface Page {
  entries: ListedEntry[]
  /** There are more; they come after it. */
  cursor?: string
}

export async function factsOf(context: ToolContext, path: string): Promise<Entry> {
  const { door, workspace } = context
  return (await door.call('get_entry', { workspace, path, depth: 0 })).value
}

/** The next entries of a folder, or with more depth of all below it: a folder before its contents. */
export async function pageOf(
  { door, workspace }: ToolContext,
  path: string,
  terms: { depth?: number; cursor?: string | undefined } = {},
): Promise<Page> {
  const { depth = 1, cursor } = terms
  const more = { depth, limit: LIMITS.listLimit, ...optional('cursor', cursor) }
  const { value } = await door.call('get_entry', { workspace, path, ...more })
  if (value.kind === 'file') fail('not_folder', `${path} is a file, not a folder.`, { path })
  // In a folder, a link's entries lie where it leads.
  const entries = value.entries.filter(
    (entry) => entry.path !== value.path && isWithin(value.path, entry.path),
  )
  return { entries, ...optional('cursor', value.cursor) }
}

/** All that lies in a folder, sorted by name. */
export async function listFolder(context: ToolContext, path: string): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = []
  let cursor: string | undefined
  do {
    const page = await pageOf(context, path, { cursor })
    entries.push(...page.entries)
    cursor = page.cursor
  } while (cursor !== undefined)
  return sortedByPath(entries)
}

export function sortedByPath(entries: ListedEntry[]): ListedEntry[] {
  return entries.sort((a, b) => compareNames(a.path, b.path))
}

/** The path of an entry as seen from a folder above it. */
export function relativePath(root: string, path: string): string {
  return root === '/' ? path.slice(1) : path.slice(root.length + 1)
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** As file systems sort names: by code point. Half pairs would stand before what is above U+E000. */
export function compareNames(a: string, b: string): number {
  if (PAIRS.test(a) || PAIRS.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : a > b ? 1 : 0
}

const PAIRS = /[\ud800-\udfff]/
