import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sha256Of } from './content.ts'
import type { Evidence } from './evidence.ts'
import { filesIn } from './folder-view.ts'
import type { LiveHistory } from './live-history.ts'
import type { Log } from './log.ts'
import type { Replay } from './replay.ts'
import type { ServerView } from './server-view.ts'

/** Asks the server and the folder for all there is, when all writers have stopped. */
export async function gather(
  root: string,
  log: Log,
  server: ServerView,
  history: LiveHistory,
  restedAt: number,
): Promise<Omit<Evidence, 'left'>> {
  const folder = filesIn(root)
  await history.until(await server.revision())
  const { replay } = history
  const heads = headsOf(replay, folder, root)
  const isAtRest = isSame(heads, folder)
  const troubles = [...log.troubles, ...serverLog(root)]
  // A read looks at the disk first, and would take in what was missed: it comes after all else.
  const later = isAtRest ? { heads, folder } : await lookLater(root, server, history)
  for (const [path, sha256] of isAtRest ? folder : []) {
    const bytes = await server.read(path)
    const read = bytes === undefined ? 'a refusal' : sha256Of(bytes)
    if (read !== sha256) troubles.push(`${path} at rest reads as ${read}`)
  }
  return {
    log: log.entries,
    restedAt,
    versions: replay.versions,
    contentOf: (version) => history.contentOf(version),
    isReadable: async ({ path, revision }) => {
      const reading = await server.contentAt(path, revision)
      return reading !== undefined && reading.fault === undefined
    },
    isBeyondReach: (path) => replay.formerOf(path) >= FORMER_KEPT,
    listed: await listedIn(server, replay),
    heads,
    folder,
    later,
    troubles,
  }
}

/** A head that was never asked for has no content in the history: its size has to do. */
function headsOf(
  { heads }: Replay,
  folder: ReadonlyMap<string, string>,
  root: string,
): Map<string, string> {
  const found = new Map<string, string>()
  for (const [path, { sha256, size }] of heads) {
    if (path.startsWith('/dist/')) continue
    const there = folder.get(path)
    const isUnread = sha256 === '' && there !== undefined
    const isSameSize = isUnread && readFileSync(join(root, path)).length === size
    found.set(path, isSameSize ? there : sha256)
  }
  return found
}

async function lookLater(
  root: string,
  server: ServerView,
  history: LiveHistory,
): Promise<Evidence['later']> {
  await pause(LATER_MS)
  const folder = filesIn(root)
  await history.until(await server.revision())
  return { folder, heads: headsOf(history.replay, folder, root) }
}

async function listedIn(server: ServerView, replay: Replay): Promise<Set<number>> {
  const paths = new Set([...replay.versions.map(({ path }) => path), ...replay.heads.keys()])
  const listed = new Set<number>()
  for (const path of paths) for (const one of await server.history(path)) listed.add(one)
  return listed
}

function isSame(some: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): boolean {
  return some.size === others.size && [...some].every(([path, one]) => others.get(path) === one)
}

/** Past its start it says nothing unless something is wrong. */
function serverLog(root: string): string[] {
  const text = readFileSync(join(root, '.sluice', 'server.log'), 'utf8')
  return text.split('\n').filter((line) => line !== '' && !OF_STARTS.test(line))
}

/** All that are started at once start a server; the first one serves. */
const OF_STARTS = /^First start: |^sluice: (Process \d+ at \S+|Another process) serves /

const LATER_MS = 4000
/** So many files that had a name are known by it, or by that of a folder above. */
const FORMER_KEPT = 64
