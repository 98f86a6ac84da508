import { fail } from '../../contract/errors.ts'
import type { Output } from '../../contract/operations.ts'
import { isWithin } from '../../contract/path.ts'
import type { ToolContext } from './tool.ts'

type Entry = Output<'get_entry'>
export type ListedEntry = Extract<Entry, { kind: 'folder' }>['entries'][number]

/** A folder with what lies in it, by name. */
export interface TreeNode {
  name: string
  path: string
  entry: ListedEntry
  children: TreeNode[]
}

const DEPTH_MOST = 64
/** One answer of a tool lists at most so many entries. */
const ENTRIES_MOST = 100_000

export async function factsOf(context: ToolContext, path: string): Promise<Entry> {
  const { door, workspace } = context
  return (await door.call('get_entry', { workspace, path, depth: 0 })).value
}

/** What lies in a folder, sorted by name. */
export async function listFolder(context: ToolContext, path: string): Promise<ListedEntry[]> {
  const entries = await pages(context, path, 1)
  return entries.sort((a, b) => compareNames(a.path, b.path))
}

/** Everything below a folder as a tree, each folder sorted by name. */
export async function readTree(context: ToolContext, root: string): Promise<TreeNode[]> {
  const nodes = new Map<string, TreeNode[]>([[root, []]])
  const folders = [root]
  for (let from = folders.shift(); from !== undefined; from = folders.shift()) {
    const entries = await pages(context, from, DEPTH_MOST)
    const start = depthOf(from)
    for (const entry of entries) {
      if (entry.kind === 'folder') nodes.set(entry.path, [])
      // What lies deeper than one answer reaches is asked for from there.
      const isDeepest = depthOf(entry.path) - start === DEPTH_MOST
      if (entry.kind === 'folder' && isDeepest) folders.push(entry.path)
    }
    for (const entry of entries) {
      const { path } = entry
      const cut = path.lastIndexOf('/')
      const children = nodes.get(path) ?? []
      nodes
        .get(path.slice(0, cut) || '/')
        ?.push({ name: path.slice(cut + 1), path, entry, children })
    }
  }
  for (const list of nodes.values()) list.sort((a, b) => compareNames(a.name, b.name))
  return nodes.get(root) ?? []
}

/** The path of an entry as seen from a folder above it. */
export function relativePath(root: string, path: string): string {
  return root === '/' ? path.slice(1) : path.slice(root.length + 1)
}

async function pages(context: ToolContext, path: string, depth: number): Promise<ListedEntry[]> {
  const { door, workspace } = context
  const entries: ListedEntry[] = []
  let cursor: string | undefined
  do {
    const more = cursor === undefined ? {} : { cursor }
    const { value } = await door.call('get_entry', { workspace, path, depth, ...more })
    if (value.kind === 'file') fail('not_folder', `${path} is a file, not a folder.`, { path })
    for (const entry of value.entries) {
      if (entry.path !== path && isWithin(path, entry.path)) entries.push(entry)
    }
    if (entries.length > ENTRIES_MOST) {
      fail('too_large', `${path} has more than ${ENTRIES_MOST} entries; ask for a folder in it.`)
    }
    cursor = value.cursor
  } while (cursor !== undefined)
  return entries
}

function depthOf(path: string): number {
  return path === '/' ? 0 : path.split('/').length - 1
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
