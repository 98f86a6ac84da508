import { z } from 'zod'
import type { Output } from '../../contract/operations.ts'
import { factsOf, listFolder, readTree, relativePath, type TreeNode } from './entries.ts'
import { compileGlob, type Glob } from './glob.ts'
import {
  pathOf,
  READS,
  TEXT_OUTPUT,
  type Tool,
  textAnswer,
  tool,
  VERSIONED_OUTPUT,
} from './tool.ts'

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

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

const listTool = tool({
  name: 'list_directory',
  title: 'List Directory',
  description: 'List a folder, one entry a line, with [FILE] or [DIR] in front.',
  input: z.strictObject({ path }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(args, context) {
    const entries = await listFolder(context, pathOf(context, args.path))
    const lines = entries.map(
      ({ kind, path }) => `${kind === 'folder' ? '[DIR]' : '[FILE]'} ${nameOf(path)}`,
    )
    return textAnswer(lines.join('\n'))
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
      size: entry.kind === 'file' ? entry.size : 0,
    }))
    entries.sort((a, b) =>
      args.sortBy === 'size' ? b.size - a.size : a.name.localeCompare(b.name),
    )
    const lines = entries.map(({ name, isFolder, size }) =>
      isFolder
        ? `[DIR] ${name.padEnd(30)} `
        : `[FILE] ${name.padEnd(30)} ${sizeText(size).padStart(10)}`,
    )
    const folders = entries.filter(({ isFolder }) => isFolder).length
    const bytes = entries.reduce((sum, { size }) => sum + size, 0)
    const total = `Total: ${entries.length - folders} files, ${folders} directories`
    return textAnswer([...lines, '', total, `Combined size: ${sizeText(bytes)}`].join('\n'))
  },
})

interface TreeEntry {
  name: string
  type: 'file' | 'directory'
  children?: TreeEntry[]
}

function treeOf(nodes: readonly TreeNode[], root: string, excluded: Glob): TreeEntry[] {
  return nodes
    .filter((node) => !excluded(relativePath(root, node.path)))
    .map((node) =>
      node.entry.kind === 'file'
        ? { name: node.name, type: 'file' }
        : { name: node.name, type: 'directory', children: treeOf(node.children, root, excluded) },
    )
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
    const root = pathOf(context, args.path)
    // A pattern without a star means that name wherever it is, and what lies below it.
    const globs = args.excludePatterns
      .flatMap((one) => (one.includes('*') ? [one] : [one, `**/${one}`, `**/${one}/**`]))
      .map(compileGlob)
    const excluded = (path: string) => globs.some((glob) => glob(path))
    const tree = treeOf(await readTree(context, root), root, excluded)
    return textAnswer(JSON.stringify(tree, null, 2))
  },
})

function* matches(
  nodes: readonly TreeNode[],
  root: string,
  wanted: Glob,
  excluded: Glob,
): Generator<string> {
  for (const node of nodes) {
    const relative = relativePath(root, node.path)
    if (excluded(relative)) continue
    if (wanted(relative)) yield node.path
    yield* matches(node.children, root, wanted, excluded)
  }
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
    const root = pathOf(context, args.path)
    const globs = args.excludePatterns.map(compileGlob)
    const excluded = (path: string) => globs.some((glob) => glob(path))
    const tree = await readTree(context, root)
    const found = [...matches(tree, root, compileGlob(args.pattern), excluded)]
    return textAnswer(found.length > 0 ? found.join('\n') : 'No matches found')
  },
})

function infoText(entry: Output<'get_entry'>): string {
  const isFile = entry.kind === 'file'
  const facts: Record<string, unknown> = { size: isFile ? entry.size : 0 }
  if (isFile) {
    facts.created = new Date(entry.created_at)
    facts.modified = new Date(entry.modified_at)
    // Reads are not recorded; the last time it surely was in somebody's hands is the last change.
    facts.accessed = new Date(entry.modified_at)
  }
  Object.assign(facts, { isDirectory: !isFile, isFile, permissions: isFile ? '644' : '755' })
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
    const facts = entry.kind === 'file' ? { version: entry.version, sha256: entry.sha256 } : {}
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
  async run(_args, { folder }) {
    const roots = folder === undefined ? ['/'] : ['/', folder]
    return textAnswer(`Allowed directories:\n${roots.join('\n')}`)
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
