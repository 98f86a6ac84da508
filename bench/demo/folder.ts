/** The folder that the agents work on: a real one, copied, so that nothing of it can be harmed. */
import { readFileSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'

const TEXT = new Set(['.md', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.json', '.txt', '.css'])
const SKIPPED = new Set(['node_modules', '.git', 'dist', 'test', 'tests', 'integration'])
const MOST_FILES = 500
const FILE_BYTES = { least: 500, most: 48 * 1024 }
/** So few files do most of the agents want at once. */
const IN_DEMAND = 12

export interface WorkFolder {
  /** What it is a copy of, for people. */
  title: string
  root: string
  /** Paths from the root, with slashes. */
  files: string[]
  inDemand: string[]
}

/** @param from a folder, or undefined for the sources and docs of two packages that are at hand. */
export async function prepareFolder(from: string | undefined, root: string): Promise<WorkFolder> {
  await mkdir(root, { recursive: true })
  const sources = from === undefined ? packageFolders(['fastify', 'zod']) : [{ from, to: '' }]
  const files: string[] = []
  for (const source of sources) {
    // Half of the room for each of two sources.
    const most = Math.floor(MOST_FILES / sources.length)
    for (const file of (await textFiles(source.from)).slice(0, most)) {
      const to = join(source.to, file)
      await cp(join(source.from, file), join(root, to))
      files.push(to.split(sep).join('/'))
    }
  }
  if (files.length < 2) throw new Error(`there are no text files to work on in ${from}`)
  const title = from ?? sources.map(({ to }) => to).join(' and ')
  return { title, root, files, inDemand: inDemandOf(files) }
}

function packageFolders(names: readonly string[]): { from: string; to: string }[] {
  const { resolve } = createRequire(import.meta.url)
  return names.map((name) => {
    const from = dirname(resolve(`${name}/package.json`))
    const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
    return { from, to: `${name}-${version}` }
  })
}

async function textFiles(root: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name))
    if (!entry.isFile() || !TEXT.has(extname(entry.name))) continue
    if (path.split(sep).some((part) => SKIPPED.has(part))) continue
    const { size } = await stat(join(root, path))
    if (size >= FILE_BYTES.least && size <= FILE_BYTES.most) found.push(path)
  }
  // Documents first: they are what many hands work on.
  const isDocument = (path: string): number => (extname(path) === '.md' ? 0 : 1)
  return found.sort((a, b) => isDocument(a) - isDocument(b) || (a < b ? -1 : 1))
}

/** Spread over the documents, or over whatever there is. */
function inDemandOf(files: readonly string[]): string[] {
  const documents = files.filter((file) => file.endsWith('.md'))
  const pool = documents.length >= IN_DEMAND ? documents : files
  const step = Math.max(1, Math.floor(pool.length / IN_DEMAND))
  return pool.filter((_, index) => index % step === 0).slice(0, IN_DEMAND)
}

export function readFrom(folder: WorkFolder, file: string): Promise<string> {
  return readFile(join(folder.root, file), 'utf8')
}
