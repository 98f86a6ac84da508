import { hash, timingSafeEqual } from 'node:crypto'
import type { EventOf } from '../../contract/events.ts'
import type { Output } from '../../contract/operations.ts'
import { isoTime, timeShownAs } from '../../contract/time.ts'
import type { Moment } from '../../core/command.ts'
import type { FileEntry } from '../../core/file/entry.ts'
import { knownVersion, taken } from '../../core/file/permit.ts'
import { entryNamed } from '../../core/file/place.ts'
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
  const versions: Record<string, number> = {}
  for (const [index, item] of lock.items.entries()) versions[item.path] = lock.versions[index] ?? 0
  return {
    status: 'granted',
    ...had,
    lock: lockFacts(lock, moment),
    token,
    versions,
    ...(toRead === undefined ? {} : { to_read: toRead }),
    server_time: isoTime(moment.at),
  }
}

/**
 * files §9: what of the locked files their holder does not know as it is. A lock is no knowledge; a
 * write under it is refused until these are read.
 */
export function filesToRead(state: State, lock: Lock, moment: Moment): Granted['to_read'] {
  let found: NonNullable<Granted['to_read']> | undefined
  for (const [index, { path, mode, subtree, key }] of lock.items.entries()) {
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

export function fileFacts(
  path: string,
  entry: FileEntry,
  lock: HolderFacts | undefined,
): Output<'read_file'> {
  return {
    path,
    kind: 'file',
    version: entry.version,
    size: entry.size,
    sha256: entry.sha256,
    created_at: isoTime(entry.createdAt),
    modified_at: isoTime(entry.modifiedAt),
    modified_by: { agent: entry.agent, session: entry.session },
    ...(lock === undefined ? {} : { lock }),
  }
}

/** What a commit made, a row a path; folders made on the way are not named. */
export function writtenReply(event: EventOf<'files-committed'>): Output<'commit'>['files'] {
  return event.changes.flatMap((change): Output<'commit'>['files'] => {
    const version = event.revision
    if (change.op === 'write') {
      return [{ path: change.path, version, size: change.size, sha256: change.sha256 }]
    }
    if (change.op === 'move') return [{ path: change.to, version }]
    return change.op === 'delete' ? [{ path: change.path, version }] : []
  })
}

/**
 * Lock tokens (locks §32): an HMAC-SHA-256 of the lock's id under the server's secret, cut to 128
 * bits. Nothing secret is stored, and a retried acquire gives the same token. HMAC is spelled out
 * (RFC 2104) over one-shot hashes: every grant makes a token, and an Hmac object costs as much as
 * deciding the grant.
 */
export class LockTokens {
  private readonly inner: Buffer
  private readonly outer: Buffer
  private readonly workspace: string

  constructor(key: Uint8Array, workspace: string) {
    this.inner = padded(key, 0x36, MESSAGE_BYTES)
    this.outer = padded(key, 0x5c, DIGEST_BYTES)
    this.workspace = workspace
  }

  of(lock: number): string {
    const end = this.inner.write(`lock ${this.workspace} ${lock}`, BLOCK_BYTES, 'latin1')
    const digest = hash('sha256', this.inner.subarray(0, BLOCK_BYTES + end), 'buffer')
    this.outer.set(digest, BLOCK_BYTES)
    const mac = hash('sha256', this.outer, 'buffer')
    return `L${lock}.${mac.subarray(0, 16).toString('base64url')}`
  }

  /** The lock that a token proves, or undefined for one that proves nothing. */
  verify(token: string): number | undefined {
    const match = /^L(\d{1,16})\.([A-Za-z0-9_-]{22})$/.exec(token)
    if (match === null) return undefined
    const lock = Number(match[1])
    const given = Buffer.from(token)
    const right = Buffer.from(this.of(lock))
    return given.length === right.length && timingSafeEqual(given, right) ? lock : undefined
  }
}

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const MESSAGE_BYTES = 128

/** The key, padded to a block and mixed with `pad` (RFC 2104 §2), with room for what follows. */
function padded(key: Uint8Array, pad: number, roomBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + roomBytes)
  const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (short[i] ?? 0) ^ pad
  return block
}
