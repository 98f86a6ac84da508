import { type Refusal, refuse } from '../../contract/errors.ts'
import { isoTime } from '../../contract/time.ts'
import { missingRight } from '../agent/rights.ts'
import type { Commit, Moment } from '../command.ts'
import {
  conflictsWithHolds,
  conflictsWithRanges,
  coveringLock,
  covers,
  type Wanted,
} from '../lock/conflict.ts'
import { lostFacts, lostSentence, obstacles, sentenceOf } from '../lock/describe.ts'
import { MODE, type Mode } from '../lock/mode.ts'
import type { Range } from '../lock/range.ts'
import type { Lock, Owner } from '../lock/table.ts'
import type { State } from '../state.ts'
import type { FileEntry } from './entry.ts'

/**
 * Who may change a path (files §8–11, locks §33). Each question gives a refusal, or undefined.
 *
 *   rights ─► locks of others ─► own lost lock ─► write mode ─► versions
 *
 * A write without a lock is checked as if it took one for the instant of the decision, so the one
 * matrix of locks §3 decides here too.
 */
export interface Writer {
  state: State
  command: Commit
  moment: Moment
  /** The session itself and the owners of the locks whose tokens were presented. */
  owners: readonly Owner[]
}

/** The presented locks must be held now: exactly these, not others at least as new (locks §33). */
export function writerOf(state: State, command: Commit, moment: Moment): Writer | Refusal {
  const owners: Owner[] = []
  const own = state.locks.owners.get(command.actor.session)
  if (own !== undefined) owners.push(own)
  for (const id of command.locks) {
    const lock = state.locks.locks.get(id)
    if (lock === undefined) return lostRefusal(state, id)
    if (!owners.includes(lock.owner)) owners.push(lock.owner)
  }
  return { state, command, moment, owners }
}

export function lostRefusal(state: State, id: number): Refusal {
  const lost = state.locks.ended.get(id)
  const what = lost === undefined ? `Lock L${id} is not held any more` : lostSentence(lost)
  return refuse('lock_lost', `${what}. Read the file again, take a new lock, then write.`, {
    ...(lost === undefined ? { lock: `L${id}` } : lostFacts(lost)),
  })
}

export function missingAccess(
  { state, command }: Writer,
  path: string,
  subtree: boolean,
  needed: 'read' | 'write' = 'write',
): Refusal | undefined {
  return missingRight(command.actor.rights, state.workspace, path, subtree, needed)
}

/** What a change takes for the instant of its decision. */
export function taken(path: string, mode: Mode, range?: Range): Wanted {
  return { path, mode, range, subtree: false, key: undefined }
}

/** files §10: what somebody else's hold forbids. */
export function lockedByOther(writer: Writer, wanted: Wanted): Refusal | undefined {
  const { state, owners } = writer
  if (!conflictsWithHolds(state.locks, wanted, owners)) return undefined
  return lockedRefusal(writer, wanted)
}

/** files §11: an append is stopped by an exclusive hold, or one of the bytes it would add. */
export function lockedAppend(writer: Writer, path: string, size: number): Refusal | undefined {
  const refusal = lockedByOther(writer, taken(path, MODE.R))
  if (refusal !== undefined) return refusal
  const wanted = taken(path, MODE.W, { start: size, end: Number.POSITIVE_INFINITY })
  if (!conflictsWithRanges(writer.state.locks, wanted, writer.owners)) return undefined
  return lockedRefusal(writer, wanted)
}

function lockedRefusal(writer: Writer, wanted: Wanted): Refusal {
  const { state, moment, owners } = writer
  const { path } = wanted
  // A hold that was lost and went to somebody else is the more telling answer.
  const lost = lostOwn(writer, path, undefined)
  if (lost !== undefined) return lost
  const { holders, waiting } = obstacles(state.locks, [wanted], owners, moment)
  return refuse(
    'locked',
    `${sentenceOf(holders, waiting)}. Nothing was written. ` +
      `Call acquire_lock on ${path} with "wait" to queue for it, then read and write.`,
    { path, holders, queue_length: waiting },
  )
}

/** The hold that covers a write to a path, or to these bytes of it. */
export function coveringWrite(
  { state, command, owners }: Writer,
  path: string,
  range?: Range,
): Lock | undefined {
  const wanted = taken(path, MODE.W, range)
  const presented = command.locks
    .map((id) => state.locks.locks.get(id))
    .find((lock) => lock?.items.some((item) => covers(item, wanted)))
  return presented ?? coveringLock(state.locks, wanted, owners)
}

/**
 * This session lost a hold on the path and has not looked at the file since: its late write is
 * refused, whoever has the lock now (locks §33).
 */
export function lostOwn(
  { state, command, moment }: Writer,
  path: string,
  entry: FileEntry | undefined,
): Refusal | undefined {
  const owner = state.locks.owners.get(command.actor.session)
  if (owner === undefined || owner.lost.length === 0) return undefined
  // Of a lost range nobody knows any more where it would lie: it concerns the whole file.
  const lost = owner.lost.findLast((one) =>
    one.lock.items.some((item) => covers({ ...item, range: undefined }, taken(path, MODE.W))),
  )
  if (lost === undefined) return undefined
  const seen = entry === undefined ? undefined : moment.seen(command.actor.session, entry.id)
  if (seen !== undefined && seen.at > lost.at && seen.version === entry?.version) return undefined
  return refuse(
    'lock_lost',
    `${lostSentence(lost)}. Nothing was written. Read ${path} again, take a new lock, then write.`,
    { path, ...lostFacts(lost) },
  )
}

/** Who names locks writes under them: each change needs a hold that covers it (locks §33). */
export function lockRequired(
  { state, command }: Writer,
  path: string,
  covered: boolean,
): Refusal | undefined {
  if (covered) return undefined
  if (command.locks.length > 0) {
    const named = command.locks.map((id) => `L${id}`)
    return refuse(
      'lock_required',
      `${named.join(', ')} ${named.length > 1 ? 'do' : 'does'} not cover ${path} with write or ` +
        'exclusive, and no other lock of yours does. Nothing was written. ' +
        `Call acquire_lock on ${path}, or leave out the lock.`,
      { path, locks: named },
    )
  }
  if (state.settings.write_mode !== 'locked') return undefined
  return refuse(
    'lock_required',
    `This workspace takes writes only under a lock. Call acquire_lock on ${path} first.`,
    { path },
  )
}

/** files §9: whoever replaces or deletes a file must know what stands there. */
export function unknownVersion(
  { state, command, moment }: Writer,
  path: string,
  entry: FileEntry,
  ifVersion: number | undefined,
  covering: Lock | undefined,
): Refusal | undefined {
  const { session } = command.actor
  if (ifVersion !== undefined) {
    return ifVersion === entry.version ? undefined : stale(path, entry, ifVersion)
  }
  if (state.settings.write_mode === 'open' && covering === undefined) return undefined
  if (entry.session === session) return undefined
  const seen = moment.seen(session, entry.id)
  if (seen?.version === entry.version) return undefined
  // The grant named the version, so what was there then is known to the holder.
  if (covering !== undefined && entry.version <= covering.fence) return undefined
  if (seen !== undefined) return stale(path, entry, seen.version)
  if (covering !== undefined) return stale(path, entry, covering.fence)
  return refuse(
    'unseen_version',
    `${path} exists (version ${entry.version}, written by ${entry.agent} at ` +
      `${isoTime(entry.modifiedAt)}) and you have not read it. Read it first, or pass its version.`,
    {
      path,
      current: entry.version,
      changed_by: entry.agent,
      changed_at: isoTime(entry.modifiedAt),
    },
  )
}

export function stale(path: string, entry: FileEntry, yours: number): Refusal {
  return refuse(
    'stale_version',
    `${path} was changed by ${entry.agent} at ${isoTime(entry.modifiedAt)}: it is at version ` +
      `${entry.version}, you know ${yours}. Nothing was written. Read it again and redo your change.`,
    {
      path,
      yours,
      current: entry.version,
      changed_by: entry.agent,
      changed_at: isoTime(entry.modifiedAt),
    },
  )
}
