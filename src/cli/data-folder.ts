import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { foreignThings } from './data-folder-things.ts'
import { Failure, UsageError } from './usage-error.ts'

/**
 * Makes the data folder, for its owner only; one that is there stays as it is. Refuses, before anything
 * is written, a folder that holds other things, and a place where no server could work.
 */
export function makeDataFolder(data: string): void {
  const isThere = isFolder(data)
  const isOurs = isThere && existsSync(join(data, 'server', 'ledger.db'))
  if (!isOurs) refuseWithin(data)
  if (!isThere) return makeFolder(data)
  if (!isOurs) refuseOthers(data)
  probe(data, isOurs)
}

function isFolder(path: string): boolean {
  const found = statOf(path)
  if (found !== undefined && !found.isDirectory()) throw cannotBe(path, 'ENOTDIR')
  return found !== undefined
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw cannotBe(path, code)
  }
}

/** What is in there is made and deleted by programs that know nothing of us. */
function refuseWithin(data: string): void {
  const owner = ['node_modules', '.git'].find((name) => data.split(sep).includes(name))
  if (owner === undefined) return
  throw new UsageError(
    `The data folder ${data} would be inside ${owner}, which may be deleted as a whole at any time ` +
      '("npm ci", a new clone), and all files with it. Name a folder elsewhere with --data.',
  )
}

function refuseOthers(data: string): void {
  const others = foreignThings(data, namesIn(data))
  if (others.length === 0) return
  const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : ''
  throw new UsageError(
    `${data} holds other things (${others.slice(0, NAMED).join(', ')}${more}), and is no data folder of ` +
      'Sluice: nothing was written there. --data names the folder where Sluice keeps its databases and ' +
      `secrets: name one that is empty or not there yet, for example --data ${join(data, 'sluice-data')}. ` +
      `To serve the files in there where they lie: "sluice mcp ${data}".`,
  )
}

const NAMED = 3

function namesIn(data: string): string[] {
  try {
    return readdirSync(data)
  } catch (error) {
    throw cannotBe(data, (error as NodeJS.ErrnoException).code)
  }
}

/**
 * One folder after the other: where a parent can hold no folder (/proc), Node's own recursion never
 * ends.
 */
function makeFolder(path: string): void {
  const missing: string[] = []
  for (let at = path; !isFolder(at) && dirname(at) !== at; at = dirname(at)) missing.push(at)
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder, { mode: 0o700 })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Two that start at once make it both.
      if (code !== 'EEXIST' || statOf(folder)?.isDirectory() !== true) throw cannotBe(path, code)
    }
  }
  probe(path, false)
}

/** That a folder is there says nothing of whether files can be made in it, least of all to root. */
function probe(data: string, isOurs: boolean): void {
  const file = join(data, `probe.${process.pid}`)
  try {
    closeSync(openSync(file, 'wx', 0o600))
    rmSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // On a full disk the server reads on, and says at each write what is wrong.
    if (isOurs && (code === 'ENOSPC' || code === 'EDQUOT')) return
    throw new Failure(
      `The data folder ${data} cannot be written: ${reasonOf(code)}. Choose another with --data.`,
    )
  }
}

function cannotBe(data: string, code: string | undefined): Failure {
  return new Failure(
    `The data folder ${data} cannot be made: ${reasonOf(code)}. Choose another with --data.`,
  )
}

function reasonOf(code: string | undefined): string {
  const reason = code === undefined ? undefined : REASONS[code]
  return reason === undefined ? String(code) : `${code}, ${reason}`
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not do that there',
  EPERM: 'this user may not do that there',
  EEXIST: 'something else is there, such as a link to nothing',
  ENOENT: 'the system keeps no files there',
  ENOTDIR: 'a part of the path is a file',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ELOOP: 'links in the path lead in a circle',
  ENAMETOOLONG: 'the path is too long',
}
