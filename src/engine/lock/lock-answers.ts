import type { Output } from '../../contract/operations.ts'
import { isoTime, timeShownAs } from '../../contract/time.ts'
import type { Moment } from '../../core/command.ts'
import { knownVersion, taken } from '../../core/file/permit.ts'
import { entryNamed } from '../../core/file/resolve-path.ts'
import { visitNodes } from '../../core/lock/conflict.ts'
import { type HolderFacts, holderFacts, obstacles, positionOf } from '../../core/lock/describe.ts'
import { conflictsOf, levelOf, MODE, type Mode } from '../../core/lock/mode.ts'
import { factOf } from '../../core/lock/request.ts'
import type { Item, Lock, LockTable, Ticket } from '../../core/lock/table.ts'
import type { State } from '../../core/state.ts'

/** How state becomes answers, in wire names. */

type LockFacts = Output<'get_lock'>['lock']

export function lockFacts(lock: Lock, moment: Moment): LockFacts {
  const facts: LockFacts = {
    id: `L${lock.id}`,
    fence: lock.fence,
    level: levelOf(strongest(lock.items)),
    items: lock.items.map(factOf),
    owner: lock.owner.agent,
    session: lock.owner.session,
    granted_at: isoTime(lock.grantedAt),
    expires_at: isoTime(moment.expiresAt(lock.id)),
    ttl: lock.ttlMs / 1000,
    renew: lock.renew,
  }
  if (lock.intent !== undefined) facts.intent = lock.intent
  if (lock.priority !== undefined) facts.priority = lock.priority
  if (lock.delayMs !== undefined) facts.lock_delay = lock.delayMs / 1000
  const { recall } = lock
  if (recall !== undefined) {
    const { reason, deadline, isExtended, for: whom, why } = recall
    facts.recall = { reason, deadline: isoTime(deadline), extended: isExtended }
    if (whom !== undefined) facts.recall.for = whom
    if (why !== undefined) facts.recall.why = why
  }
  return facts
}

function strongest(items: readonly Item[]): Mode {
  return Math.max(...items.map((item) => item.mode)) as Mode
}

/** What of a grant was there before: nothing, the lock, or a weaker one. */
export type Had = Pick<Granted, 'already_held' | 'raised'>

export function grantedReply(
  lock: Lock,
  token: string,
  moment: Moment,
  had: Had,
  toRead: Granted['to_read'],
): Granted {
  const answer: Granted = {
    status: 'granted',
    lock: lockFacts(lock, moment),
    token,
    versions: versionsOf(lock),
    server_time: isoTime(moment.at),
  }
  if (had.already_held !== undefined) answer.already_held = had.already_held
  if (had.raised !== undefined) answer.raised = had.raised
  if (toRead !== undefined) answer.to_read = toRead
  return answer
}

function versionsOf({ items, versions }: Lock): Record<string, number> {
  // Without a prototype it is a table of names; else each path would make a class of objects.
  const byPath = Object.create(null) as Record<string, number>
  for (let i = 0; i < items.length; i++) byPath[(items[i] as Item).path] = versions[i] ?? 0
  return byPath
}

/**
 * files §9: what of the locked files their holder does not know as it is. A lock is no knowledge; a
 * write under it is refused until these are read.
 */
export function filesToRead(state: State, lock: Lock, moment: Moment): Granted['to_read'] {
  let found: NonNullable<Granted['to_read']> | undefined
  for (let index = 0; index < lock.items.length; index++) {
    const { path, mode, subtree, key } = lock.items[index] as Item
    const isOfFile = mode >= MODE.W && !subtree && key === undefined
    if (!isOfFile || lock.versions[index] === 0) continue
    const entry = entryNamed(state.records, path, state.settings.portable_names)
    if (entry?.kind !== 'file') continue
    const yours = knownVersion({ session: lock.owner.session }, entry, moment)
    if (yours === entry.version) continue
    const { version, agent, session } = entry
    const changed_at = isoTime(entry.modifiedAt)
    const why =
      yours === undefined
        ? `You have not read ${path} (version ${version}, by ${agent} at ${changed_at})`
        : `${path} changed since you last knew it (version ${yours}): it is at version ${version}, ` +
          `by ${agent} at ${changed_at}`
    found ??= []
    found.push({
      path,
      version,
      ...(yours === undefined ? {} : { yours }),
      changed_by: { agent, session },
      changed_at,
      why: `${why}. Read it before you write it, or the write is refused.`,
    })
  }
  return found
}

type Granted = Extract<Output<'acquire_lock'>, { status: 'granted' }>

export function queuedReply(
  table: LockTable,
  ticket: Ticket,
  moment: Moment,
): Output<'acquire_lock'> {
  const { holders } = obstacles(table, ticket.items, [ticket.owner], moment, ticket.owner.agent)
  const ends = holders.map((holder) => timeShownAs(holder.recalled_until ?? holder.expires_at))
  return {
    status: 'queued',
    ticket: `T${ticket.id}`,
    position: positionOf(ticket),
    holders,
    estimate_s: Math.max(0, Math.ceil((Math.max(moment.at, ...ends) - moment.at) / 1000)),
  }
}

/** The write or exclusive hold that covers a path, whoever has it (files §5). */
export function holderOf(table: LockTable, path: string, moment: Moment): HolderFacts | undefined {
  if ((table.root.heldMask & WRITERS) === 0) return undefined
  let found: HolderFacts | undefined
  const wanted = taken(table, path, MODE.W)
  visitNodes(table, wanted, (node) => {
    const holding = node.holds.find(
      (item) => item.mode >= MODE.W && (item.folded === wanted.folded || item.subtree),
    )
    if (holding !== undefined) found = holderFacts(holding, moment)
    return holding !== undefined
  })
  return found
}

// Whatever conflicts with a stable reader is a writer somewhere: itself or an intention above it.
const WRITERS = conflictsOf(MODE.S)
