import { z } from 'zod'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { factsOf, listFolder, nameOf, pageOf, sortedByPath } from './entries.ts'
import {
  pathOf,
  READS,
  shownPath,
  TEXT_OUTPUT,
  type Tool,
  type ToolContext,
  textAnswer,
  tool,
  VERSIONED_OUTPUT,
  withMore,
} from './tool.ts'
import { readTree, type TreeNode } from './tree.ts'

/** The official server's tools that look around: its names, arguments and texts. */
const path = z.string()
const excludePatterns = z.array(z.string()).optional().default([])

const SIZE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

function sizeText(bytes: number): string {
  if (bytes <= 0) return '0 B'
  const unit = Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), SIZE_UNITS.length - 1)
  if (unit === 0) return `${bytes} B`
  return `${(bytes / 1024 ** unit).toFixed(2)} ${SIZE_UNITS[unit]}`
}

/** Loaded with the first call: `sluice mcp` should be there at once. */
const matcher = () => import('./glob.ts')

/** One answer shows so many entries: a model reads every byte of it. */
const ENTRIES_SHOWN = LIMITS.listLimit

const listTool = tool({
  name: 'list_directory',
  title: 'List Directory',
  description: 'List a folder, one entry a line, with [FILE] or [DIR] in front.',
  input: z.strictObject({ path, cursor: z.string().optional() }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(args, context) {
    const page = await pageOf(context, pathOf(context, args.path), { cursor: args.cursor })
    const lines = sortedByPath(page.entries).map(
      ({ kind, path }) => `${kind === 'folder' ? '[DIR]' : '[FILE]'} ${nameOf(path)}`,
    )
    const answer = textAnswer(lines.join('\n'))
    if (page.cursor === undefined) return answer
    const more = `There are more: list_directory with cursor ${JSON.stringify(page.cursor)} goes on.`
    return withMore(answer, more, { cursor: page.cursor })
  },
})

const listWithSizesTool = tool({
  name: 'list_directory_with_sizes',
  title: 'List Directory with Sizes',
  description: 'List a folder with the sizes of its files and their total.',
  input: z.strictObject({
    path,
    sortBy: z
      .enum(['name', 'size'])
      .optional()
      .default('name')
      .describe('Sort entries by name or size'),
  }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(args, context) {
    const entries = (await listFolder(context, pathOf(context, args.path))).map((entry) => ({
      name: nameOf(entry.path),
      isFolder: entry.kind === 'folder',
      size: entry.size ?? 0,
    }))
    entries.sort((a, b) =>
      args.sortBy === 'size' ? b.size - a.size : a.name.localeCompare(b.name),
    )
    const lines = entries
      .slice(0, ENTRIES_SHOWN)
      .map(({ name, isFolder, size }) =>
        isFolder
          ? `[DIR] ${name.padEnd(30)} `
          : `[FILE] ${name.padEnd(30)} ${sizeText(size).padStart(10)}`,
      )
    const folders = entries.filter(({ isFolder }) => isFolder).length
    const bytes = entries.reduce((sum, { size, isFolder }) => sum + (isFolder ? 0 : size), 0)
    const total = `Total: ${entries.length - folders} files, ${folders} directories`
    const answer = textAnswer([...lines, '', total, `Combined size: ${sizeText(bytes)}`].join('\n'))
    if (lines.length === entries.length) return answer
    const more = `Only the first ${lines.length} are shown; list_directory goes on with a cursor.`
    return withMore(answer, more)
  },
})

interface TreeEntry {
  name: string
  type: 'file' | 'directory'
  children?: TreeEntry[]
  /** Not all that is in it stands among its children. */
  cut?: true
}

function treeOf(nodes: readonly TreeNode[]): TreeEntry[] {
  return nodes.map(({ name, entry, children, isWhole }) =>
    entry.kind === 'file'
      ? { name, type: 'file' }
      : {
          name,
          type: 'directory',
          children: treeOf(children),
          ...(isWhole ? {} : { cut: true as const }),
        },
  )
}

/** Where a folder really is: what lies in it is listed under that path. */
async function placeOf(context: ToolContext, given: string): Promise<string> {
  const path = pathOf(context, given)
  return context.roots === undefined ? path : (await factsOf(context, path)).path
}

const treeTool = tool({
  name: 'directory_tree',
  title: 'Directory Tree',
  description:
    'Everything below a folder as JSON: name, type (file/directory) and, for directories, children.',
  input: z.strictObject({ path, excludePatterns }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(args, context) {
    const root = await placeOf(context, args.path)
    const { compileGlobs } = await matcher()
    // A pattern without a star means that name wherever it is, and what lies below it.
    const globs = compileGlobs(
      args.excludePatterns.flatMap((one) =>
        one.includes('*') ? [one] : [one, `**/${one}`, `**/${one}/**`],
      ),
    )
    const { nodes, isWhole } = await readTree(context, root, {
      isExcluded: (relative) => globs.some((glob) => glob.matches(relative)),
      isEntered: (relative) => !globs.some((glob) => glob.coversBelow(relative)),
      counts: () => true,
      most: ENTRIES_SHOWN,
    })
    const answer = textAnswer(treeText(treeOf(nodes)))
    return isWhole ? answer : withMore(answer, TREE_CUT)
  },
})

/** Indented as the official server does it, unless that would be most of the answer: deep trees. */
function treeText(tree: readonly TreeEntry[]): string {
  const text = JSON.stringify(tree, null, 2)
  return text.length > INDENTED_MOST ? JSON.stringify(tree) : text
}

const INDENTED_MOST = 512 * 1024

const TREE_CUT = `Not all is shown: a tree has at most ${ENTRIES_SHOWN} entries. Call directory_tree with the path of a folder that is marked "cut", or with excludePatterns.`

/** In the order of the tree; without recursion, because trees may be thousands of folders deep. */
function inOrder(tree: readonly TreeNode[], wanted: ReadonlySet<string>): string[] {
  const found: string[] = []
  const left = tree.toReversed()
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (wanted.has(node.path)) found.push(node.path)
    for (const child of node.children.toReversed()) left.push(child)
  }
  return found
}

const searchTool = tool({
  name: 'search_files',
  title: 'Search Files',
  description:
    "Find files and folders by a glob on their path below the given one: '*.ext' in the folder itself, '**/*.ext' in all below. Returns full paths.",
  input: z.strictObject({ path, pattern: z.string(), excludePatterns }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(args, context) {
    const root = await placeOf(context, args.path)
    const { compileGlob, compileGlobs } = await matcher()
    const wanted = compileGlob(args.pattern)
    const globs = compileGlobs(args.excludePatterns)
    const matching = new Set<string>()
    const { nodes, isWhole } = await readTree(context, root, {
      isExcluded: (relative) => globs.some((glob) => glob.matches(relative)),
      isEntered: (relative) =>
        wanted.mayMatchBelow(relative) && !globs.some((glob) => glob.coversBelow(relative)),
      counts(relative, entry) {
        // A link that leads nowhere is no file to be found.
        const isReachable = entry.kind === 'folder' || entry.unreachable !== true
        const isMatch = isReachable && wanted.matches(relative)
        if (isMatch) matching.add(entry.path)
        return isMatch
      },
      most: ENTRIES_SHOWN,
    })
    const found = inOrder(nodes, matching).map((path) => shownPath(context, path))
    const answer = textAnswer(found.length > 0 ? found.join('\n') : 'No matches found')
    return isWhole ? answer : withMore(answer, SEARCH_CUT)
  },
})

const SEARCH_CUT = `Not all was searched: at most ${ENTRIES_SHOWN} matches are shown, of the first 100,000 entries. Call search_files with a path deeper down, a narrower pattern, or excludePatterns.`

function infoText(entry: Output<'get_entry'>): string {
  const isFile = entry.kind === 'file'
  const { disk } = entry
  const facts: Record<string, unknown> = { size: disk?.size ?? (isFile ? entry.size : 0) }
  if (disk !== undefined) {
    facts.created = new Date(disk.created_at)
    facts.modified = new Date(disk.modified_at)
    facts.accessed = new Date(disk.accessed_at)
  } else if (isFile) {
    facts.created = new Date(entry.created_at)
    facts.modified = new Date(entry.modified_at)
    // Reads are not recorded; the last time it surely was in somebody's hands is the last change.
    facts.accessed = new Date(entry.modified_at)
  }
  const permissions = disk?.permissions ?? (isFile ? '644' : '755')
  Object.assign(facts, { isDirectory: !isFile, isFile, permissions })
  if (entry.lock !== undefined) {
    const { agent, level, expires_at, intent } = entry.lock
    const why = intent === undefined ? '' : ` for "${intent}"`
    facts.locked = `${level} by ${agent}${why} until ${expires_at}`
  }
  return Object.entries(facts)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n')
}

const infoTool = tool({
  name: 'get_file_info',
  title: 'Get File Info',
  description: 'Size, times and type of a file or folder, and who holds a lock on it.',
  input: z.strictObject({ path }),
  output: VERSIONED_OUTPUT,
  annotations: READS,
  async run(args, context) {
    const entry = await factsOf(context, pathOf(context, args.path))
    const facts =
      entry.kind === 'file' ? { version: entry.version, ...optional('sha256', entry.sha256) } : {}
    const lock = entry.lock === undefined ? {} : { lock: entry.lock }
    return textAnswer(infoText(entry), { ...facts, ...lock })
  },
})

const rootsTool = tool({
  name: 'list_allowed_directories',
  title: 'List Allowed Directories',
  description: 'Where paths may start: "/" is the root of the workspace.',
  input: z.strictObject({}),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(_args, { roots = ['/'], aliases }) {
    const named = roots.flatMap((root) => [
      ...[...aliases].flatMap(([alias, real]) => (real === root ? [alias] : [])),
      root,
    ])
    return textAnswer(`Allowed directories:\n${named.join('\n')}`)
  },
})

export const listTools: readonly Tool[] = [
  listTool,
  listWithSizesTool,
  treeTool,
  searchTool,
  infoTool,
  rootsTool,
]
