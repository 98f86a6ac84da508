import type { EventOf, FileChange } from '../../contract/events.ts'
import { foldPath, isWithin } from '../../contract/path.ts'
import { isoTime } from '../../contract/time.ts'
import { entryAt, versionOf } from '../../core/file/entry.ts'
import { MODE } from '../../core/lock/mode.ts'
import type { State } from '../../core/state.ts'
import type { SeenVersions } from '../file/seen-versions.ts'
import type { Telling } from './telling.ts'

/** What is told of changes that came from outside of the server (folder §11, §12). */

const WHO = 'outside of Sluice (an editor, a shell, git)'

/** Who holds a lock that somebody wrote past, and who waits for it. */
export function* bypassed(event: EventOf<'lock-bypassed'>, state: State): Generator<Telling> {
  const { paths } = event
  const lock = state.locks.locks.get(event.lock)
  if (lock === undefined) return
  const of = { kind: 'changed', at: isoTime(event.at), lock: `L${lock.id}`, paths } as const
  const what = listed(paths)
  const text =
    `${what} changed ${WHO} under your lock L${lock.id}, which cannot stop that. Read it again before ` +
    'you write.'
  yield { session: lock.owner.session, notice: { ...of, text } }
  let told = 0
  for (const { owner, items } of state.locks.tickets.values()) {
    const concerns = items.some(({ folded }) =>
      paths.some((path) => isWithin(folded, foldPath(path, state.locks.portable))),
    )
    if (!concerns || told >= WAITERS_TOLD) continue
    told += 1
    const waits = `${what}, which you wait for, changed ${WHO}. Read it again when your turn comes.`
    yield { session: owner.session, notice: { ...of, text: waits } }
  }
}

/** Whoever has read what is no longer so: once a commit, whatever it changed. */
export function* changedOutside(
  event: EventOf<'files-committed'>,
  state: State,
  seen: SeenVersions,
): Generator<Telling> {
  const changed = new Map<string, string[]>()
  for (const change of event.changes) {
    const before = knownBefore(change, event.revision, state)
    if (before === undefined) continue
    for (const session of seen.whoKnows(before.file, before.version)) {
      // It hears of its lock.
      if (holds(state, session, change.path)) continue
      const paths = changed.get(session) ?? []
      paths.push(change.path)
      changed.set(session, paths)
    }
  }
  for (const [session, paths] of changed) {
    const text =
      `${listed(paths)} changed ${WHO} since you read ${paths.length === 1 ? 'it' : 'them'}. Read again ` +
      'what you rely on, before you write.'
    const notice = {
      kind: 'changed',
      at: isoTime(event.at),
      paths: paths.slice(0, PATHS_TOLD),
      text,
    } as const
    yield { session, notice }
  }
}

function holds({ locks }: State, session: string, path: string): boolean {
  const folded = foldPath(path, locks.portable)
  return [...(locks.owners.get(session)?.locks ?? [])].some(({ items }) =>
    items.some((item) => item.mode >= MODE.W && isWithin(item.folded, folded)),
  )
}

function knownBefore(
  change: FileChange,
  revision: number,
  state: State,
): { file: number; version: number } | undefined {
  if (change.op === 'write') {
    return change.base === 0 ? undefined : { file: change.id, version: change.base }
  }
  if (change.op !== 'delete') return undefined
  const { records, settings } = state
  const gone = entryAt(records, change.folder, change.name, settings.portable_names)
  if (gone?.kind !== 'gone' || gone.fileId === undefined) return undefined
  const deleted = versionOf(records, gone.fileId, revision)
  return deleted === undefined ? undefined : { file: gone.fileId, version: deleted.base }
}

function listed(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED).join(', ')
  return paths.length > NAMED ? `${named} and ${paths.length - NAMED} more` : named
}

const NAMED = 3
const PATHS_TOLD = 100
const WAITERS_TOLD = 100
