import { type Refusal, refuse } from '../../contract/errors.ts'
import { foldPath } from '../../contract/path.ts'
import { isoTime } from '../../contract/time.ts'
import { mayRead, maySupervise, missingRight } from '../agent/rights.ts'
import type { Actor, Commit, Moment } from '../command.ts'
import { conflictsWithHolds, coveringLock, covers, type Wanted } from '../lock/conflict.ts'
import { lostFacts, lostSentence, obstacles, sentenceOf } from '../lock/describe.ts'
import { MODE, type Mode } from '../lock/mode.ts'
import type { Range } from '../lock/range.ts'
import type { Lock, LockTable, Owner, Ticket } from '../lock/table.ts'
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
  const own = ownerOfActor(state, command.actor)
  if (own !== undefined) owners.push(own)
  for (const id of command.locks) {
    const lock = state.locks.locks.get(id)
    // Its token was presented, so its holder asks.
    if (lock === undefined) return lostRefusal(state, id)
    if (!owners.includes(lock.owner)) owners.push(lock.owner)
  }
  return { state, command, moment, owners }
}

/** The holder that somebody is, unless nobody can know that. */
export function ownerOfActor(state: State, actor: Actor): Owner | undefined {
  return actor.unnamed === true ? undefined : state.locks.owners.get(actor.session)
}

/** @param actor who may know only of what it could see; absent: one who had the lock */
export function lostRefusal(state: State, id: number, actor?: Actor): Refusal {
  const ended = state.locks.ended.get(id)
  const isSeen = ended !== undefined && (actor === undefined || maySee(state, actor, ended.lock))
  const lost = isSeen ? ended : undefined
  const what = lost === undefined ? `Lock L${id} is not held any more` : lostSentence(lost)
  return refuse('lock_lost', `${what}. Read the file again, take a new lock, then write.`, {
    ...(lost === undefined ? { lock: `L${id}` } : lostFacts(lost)),
  })
}

/** Whoever may read all paths of a lock may know of it, as may its own agent, and supervisors. */
export function maySee(state: State, { agent, role, rights }: Actor, lock: Lock | Ticket): boolean {
  if (rights.length === 0 || lock.owner.agent === agent || maySupervise(role)) return true
  return lock.items.every(({ path }) => mayRead(rights, state, path))
}

export function missingAccess(
  { state, command }: Writer,
  path: string,
  subtree: boolean,
  needed: 'read' | 'write' = 'write',
): Refusal | undefined {
  return missingRight(command.actor.rights, state, path, subtree, needed)
}

/** What a change takes for the instant of its decision. */
export function taken(table: LockTable, path: string, mode: Mode, range?: Range): Wanted {
  const folded = foldPath(path, table.portable)
  return { path, folded, mode, range, subtree: false, key: undefined }
}

/** Whether a lock covers a write, as if what it has of a range were all of the file. */
export function isOfFile(lock: Lock, wanted: Wanted): boolean {
  return lock.items.some((item) => covers({ ...item, range: undefined }, wanted))
}

/** files §10: what somebody else's hold forbids. */
export function lockedByOther(writer: Writer, wanted: Wanted): Refusal | undefined {
  const { state, owners } = writer
  if (!conflictsWithHolds(state.locks, wanted, owners)) return undefined
  return lockedRefusal(writer, wanted)
}

function lockedRefusal(writer: Writer, wanted: Wanted): Refusal {
  const { state, moment, owners } = writer
  const { agent } = writer.command.actor
  const { path } = wanted
  // A hold that was lost and went to somebody else is the more telling answer.
  const lost = lostOwn(writer, path, undefined)
  if (lost !== undefined) return lost
  const { holders, waiting } = obstacles(state.locks, [wanted], owners, moment, agent)
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
  const wanted = taken(state.locks, path, MODE.W, range)
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
  const owner = ownerOfActor(state, command.actor)
  if (owner === undefined || owner.lost.length === 0) return undefined
  // Of a lost range nobody knows any more where it would lie: it concerns the whole file.
  const wanted = taken(state.locks, path, MODE.W)
  const lost = owner.lost.findLast((one) => isOfFile(one.lock, wanted))
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

/**
 * files §9: whoever replaces or deletes a file must know what stands there: by naming its version, or
 * by having read or written it and nobody since. A lock keeps others out from its grant on; it says
 * nothing of what its holder read before, so it proves nothing here.
 */
export function unknownVersion(
  { state, command, moment }: Writer,
  path: string,
  entry: FileEntry,
  ifVersion: number | undefined,
): Refusal | undefined {
  if (ifVersion !== undefined) {
    return ifVersion === entry.version ? undefined : stale(path, entry, ifVersion)
  }
  if (state.settings.write_mode === 'open') return undefined
  const { actor } = command
  const known = knownVersion(actor, entry, moment)
  if (known === entry.version) return undefined
  if (known !== undefined) return stale(path, entry, known)
  const settle =
    actor.unnamed === true
      ? 'Read it and pass its version with "if_version"; or say who calls, in every call, with "as", ' +
        'so that what you read counts.'
      : 'Read it first, or pass its version with "if_version".'
  return refuse(
    'unseen_version',
    `${path} exists (version ${entry.version}, written by ${entry.agent} at ` +
      `${isoTime(entry.modifiedAt)}) and you have not read it. Nothing was written. ${settle}`,
    {
      path,
      current: entry.version,
      changed_by: entry.agent,
      changed_at: isoTime(entry.modifiedAt),
    },
  )
}

/** The version of a file that somebody has last read or written; undefined when none is known. */
export function knownVersion(
  actor: Pick<Actor, 'session' | 'unnamed'>,
  entry: FileEntry,
  moment: Moment,
): number | undefined {
  if (actor.unnamed === true) return undefined
  if (entry.whole === true && entry.session === actor.session) return entry.version
  return moment.seen(actor.session, entry.id)?.version
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
