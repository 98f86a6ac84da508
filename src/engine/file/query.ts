import type { Notice } from '../../contract/door.ts'
import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { foldPath, isUnder, isWithin } from '../../contract/path.ts'
import { isoTime } from '../../contract/time.ts'
import { leadsToReadable, mayRead, missingRight } from '../../core/agent/rights.ts'
import type { Actor, Moment } from '../../core/command.ts'
import {
  type Entry,
  entryKey,
  type FileEntry,
  type FolderEntry,
  folderRange,
  type VersionRecord,
  versionKey,
} from '../../core/file/entry.ts'
import type { KeptDraft } from '../../core/file/kept-draft.ts'
import { ownerOfActor, taken } from '../../core/file/permit.ts'
import { fileAsOf, lastFileAt, occupantAt, placeOf } from '../../core/file/place.ts'
import { holdersInTheWay } from '../../core/lock/conflict.ts'
import { holderFacts, positionOf, sentenceOf } from '../../core/lock/describe.ts'
import { levelOf, MODE } from '../../core/lock/mode.ts'
import { USUAL_PRIORITY } from '../../core/lock/order.ts'
import { findNode, type HeldItem, type LockTable, type Ticket } from '../../core/lock/table.ts'
import { WaitsFor } from '../../core/lock/waits-for.ts'
import type { State } from '../../core/state.ts'
import type { Desk } from '../desk.ts'
import { fileFacts, holderOf, lockFacts } from '../lock/lock-answers.ts'
import type { WaitStatistics } from '../lock/wait-statistics.ts'
import { isCurrent } from '../session/notice.ts'
import type { NoticeBoard } from '../session/notice-board.ts'

/** Reading a workspace: files, folders, histories and the lock table, as one caller may see them. */
export interface Reader {
  state: State
  actor: Actor
  moment: Moment
}

export function readerOf(desk: Desk, actor: Actor): Reader {
  return { state: desk.stream.state, actor, moment: desk.moment() }
}

export function assertReadable({ state, actor, moment }: Reader, path: string): void {
  const refusal = missingRight(actor.rights, state, path, false, 'read')
  if (refusal !== undefined) throw new SluiceError(problemOf(refusal))
  if (!state.settings.exclusive_hides_reads) return
  const own = ownerOfActor(state, actor)
  const wanted = taken(state.locks, path, MODE.R)
  const found = holdersInTheWay(state.locks, wanted, own === undefined ? [] : [own], 1)
  const [first] = found
  if (first === undefined) return
  const holders = [holderFacts(first, moment)]
  fail('locked', `${sentenceOf(holders, 0)}, and this workspace hides what is held exclusively.`, {
    path,
    holders,
  })
}

/** The file at a path, now or as it was at a revision. */
export function fileAt(reader: Reader, path: string, at: number | undefined): FileEntry {
  assertReadable(reader, path)
  const { records, settings, revision } = reader.state
  if (at === undefined) {
    const place = placeOf(records, path, settings.portable_names)
    const { entry } = place
    if (entry?.kind === 'file') return entry
    if (entry?.kind === 'folder')
      fail('is_folder', `${path} is a folder. List it instead.`, { path })
    throw notFound(path, place.clash)
  }
  if (at > revision) fail('not_found', `Revision ${at} is not written yet.`, { path, revision })
  const occupant = occupantAt(records, path, at, settings.portable_names)
  if (occupant?.kind === 'folder') fail('is_folder', `${path} was a folder then.`, { path })
  const file = occupant === undefined ? undefined : fileAsOf(records, occupant.id, at)
  if (file === undefined) {
    fail('not_found', `There was no file at ${path} at revision ${at}.`, { path, at })
  }
  return file
}

function notFound(path: string, clash: string | undefined): never {
  return fail(
    'not_found',
    clash === undefined
      ? `There is nothing at ${path}. List its folder to see what is there.`
      : `There is nothing at ${path}, but there is ${clash}.`,
    { path, ...(clash === undefined ? {} : { existing: clash }) },
  )
}

type Listed = Output<'get_entry'>
type Row = Extract<Listed, { kind: 'folder' }>['entries'][number]

export function getEntry(reader: Reader, input: Parsed<'get_entry'>): Listed {
  const { state, moment } = reader
  const { path, depth } = input
  const place = placeOf(state.records, path, state.settings.portable_names)
  const { entry } = place
  // The way to what may be read can be listed; only what may be read, or leads there, is in the list.
  const isWay = entry?.kind === 'folder' && leadsToReadable(reader.actor.rights, state, path)
  if (!isWay) assertReadable(reader, path)
  if (entry === undefined) return notFound(path, place.clash)
  const lock = holderOf(state.locks, path, moment)
  if (entry.kind === 'file') return fileFacts(path, entry, lock)
  const listing = new Listing(reader, input.limit, input.cursor)
  if (depth > 0) listing.walk(entry, path, depth)
  return {
    path,
    kind: 'folder',
    ...(lock === undefined ? {} : { lock }),
    entries: listing.rows,
    ...(listing.next === undefined ? {} : { cursor: listing.next }),
  }
}

/** Folders before what lies in them, names in key order; a cursor is the last path given. */
class Listing {
  readonly rows: Row[] = []
  next: string | undefined
  private readonly reader: Reader
  private readonly limit: number
  private readonly after: string | undefined

  constructor(reader: Reader, limit: number, after: string | undefined) {
    this.reader = reader
    this.limit = limit
    this.after = after
  }

  /** Returns false when the limit was reached. */
  walk(folder: FolderEntry, path: string, depth: number): boolean {
    const { state } = this.reader
    const [first, to] = folderRange(folder.id)
    let from = first
    // What lies before the cursor is not even read, so a long folder is not read anew for each page.
    const name = this.cursorName(path)
    if (name !== undefined) from = entryKey(folder.id, name, state.settings.portable_names)
    for (;;) {
      const rows = state.records.range('entry', from, to, PAGE_ROWS)
      for (const [, value] of rows) {
        if (!this.add(value as Entry, path, depth)) return false
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE_ROWS) return true
      from = `${last[0]}\u0000`
    }
  }

  private add(entry: Entry, folder: string, depth: number): boolean {
    if (entry.kind === 'gone') return true
    const { state, actor, moment } = this.reader
    const path = folder === '/' ? `/${entry.name}` : `${folder}/${entry.name}`
    const isShown =
      mayRead(actor.rights, state, path) ||
      (entry.kind === 'folder' && leadsToReadable(actor.rights, state, path))
    if (!isShown) return true
    if (!this.isBefore(path)) {
      if (this.rows.length >= this.limit) {
        this.next = this.rows.at(-1)?.path
        return false
      }
      const lock = holderOf(state.locks, path, moment)
      if (entry.kind === 'file') this.rows.push(fileFacts(path, entry, lock))
      else this.rows.push({ path, kind: 'folder', ...(lock === undefined ? {} : { lock }) })
    }
    if (entry.kind === 'file' || depth <= 1) return true
    // A whole subtree that was given already is skipped without looking into it.
    if (this.after !== undefined && this.isBefore(path) && !isWithin(path, this.after)) return true
    return this.walk(entry, path, depth - 1)
  }

  /** The name in a folder that the cursor is or lies below. */
  private cursorName(folder: string): string | undefined {
    if (this.after === undefined || this.after === folder) return undefined
    if (!isWithin(folder, this.after)) return undefined
    return this.after.slice(folder === '/' ? 1 : folder.length + 1).split('/', 1)[0]
  }

  private isBefore(path: string): boolean {
    return this.after !== undefined && comparePaths(path, this.after) <= 0
  }
}

const PAGE_ROWS = 500

/** Order of a listing: name by name as the keys sort, a folder before its contents. */
function comparePaths(a: string, b: string): number {
  const x = a.toLowerCase().split('/')
  const y = b.toLowerCase().split('/')
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = Buffer.compare(Buffer.from(x[i] as string), Buffer.from(y[i] as string))
    if (order !== 0) return order
  }
  return x.length - y.length
}

export function getHistory(reader: Reader, input: Parsed<'get_history'>): Output<'get_history'> {
  const { path, limit, before } = input
  assertReadable(reader, path)
  const { records, settings } = reader.state
  const place = placeOf(records, path, settings.portable_names)
  if (place.record?.kind === 'folder') fail('is_folder', `${path} is a folder.`, { path })
  const file = lastFileAt(records, path, settings.portable_names)
  if (file === undefined || place.clash !== undefined) return notFound(path, place.clash)
  const { id, until } = file
  const start = versionKey(id, Math.min(before ?? until, until) - 1)
  const rows = records.range('version', start, `${id.toString(36)}0`, limit + 1)
  const versions = rows.slice(0, limit).map(([, value]) => {
    const { at, ...facts } = value as VersionRecord
    return { ...facts, at: isoTime(at) }
  })
  return { versions, more: rows.length > limit }
}

export function listLocks(
  reader: Reader,
  input: Parsed<'list_locks'>,
  statistics: WaitStatistics,
): Output<'list_locks'> {
  const { state, actor, moment } = reader
  const concerns = (path: string): boolean =>
    input.path === undefined ||
    isUnder(path, input.path, state.locks.portable) ||
    isUnder(input.path, path, state.locks.portable)
  const isVisible = (paths: readonly string[]): boolean =>
    paths.some(concerns) && paths.every((path) => mayRead(actor.rights, state, path))
  const result: Output<'list_locks'> = { locks: [], waiting: [], closed: [], more: false }
  const after = listCursor(input.cursor)
  for (const lock of state.locks.locks.values()) {
    if (lock.id <= after.lock) continue
    if (input.owner !== undefined && lock.owner.agent !== input.owner) continue
    if (!isVisible(lock.items.map((item) => item.path))) continue
    if (result.locks.length >= input.limit) {
      result.more = true
      break
    }
    result.locks.push(lockFacts(lock, moment))
    after.lock = lock.id
  }
  for (const ticket of state.locks.tickets.values()) {
    if (ticket.id <= after.ticket) continue
    const paths = ticket.items.map((item) => item.path)
    if (input.owner !== undefined && ticket.owner.agent !== input.owner) continue
    if (!isVisible(paths)) continue
    if (result.waiting.length >= input.limit) {
      result.more = true
      break
    }
    result.waiting.push({
      ticket: `T${ticket.id}`,
      agent: ticket.owner.agent,
      session: ticket.owner.session,
      level: levelOf(ticket.items[0]?.mode ?? MODE.R),
      paths,
      ...(ticket.intent === undefined ? {} : { intent: ticket.intent }),
      since: isoTime(ticket.since),
      waited_s: (moment.at - ticket.since) / 1000,
      position: positionOf(ticket),
      priority: ticket.priority ?? USUAL_PRIORITY,
      ...(ticket.any === undefined ? {} : { any: ticket.any }),
      ...(ticket.raises === undefined ? {} : { raises: `L${ticket.raises}` }),
      blocked_by: blockersOf(state.locks, ticket),
    })
    after.ticket = ticket.id
  }
  if (result.more) result.cursor = `L${after.lock}T${after.ticket}`
  // These are few and soon over, so they all come with the first answer.
  for (const closed of input.cursor === undefined ? state.locks.closed.values() : []) {
    if (result.closed.length >= input.limit) break
    if (input.owner !== undefined && closed.owner.agent !== input.owner) continue
    if (!isVisible(closed.items.map((item) => item.path))) continue
    result.closed.push(...closed.items.map((item) => holderFacts(item as HeldItem, moment)))
  }
  if (input.statistics === true) {
    result.statistics = statistics
      .list()
      .filter(([path]) => isVisible([path]))
      .slice(0, input.limit)
      .map(([path, { waits, totalMs, longestMs }]) => ({
        path,
        waiting:
          findNode(state.locks, foldPath(path, state.locks.portable))?.lines?.reduce(
            (sum, line) => sum + (line?.size ?? 0),
            0,
          ) ?? 0,
        waits,
        waited_s_total: totalMs / 1000,
        waited_s_longest: longestMs / 1000,
      }))
  }
  return result
}

/** Both lists are in the order of their ids, so the last one given of each says where to go on. */
function listCursor(cursor: string | undefined): { lock: number; ticket: number } {
  if (cursor === undefined) return { lock: 0, ticket: 0 }
  const [, lock, ticket] = /^L(\d{1,16})T(\d{1,16})$/.exec(cursor) ?? []
  if (lock === undefined || ticket === undefined) {
    fail('invalid_request', 'cursor: not one that list_locks gave; leave it out to begin anew.', {
      fields: [{ field: 'cursor', fault: 'not one that list_locks gave' }],
    })
  }
  return { lock: Number(lock), ticket: Number(ticket) }
}

type Blocker = Output<'list_locks'>['waiting'][number]['blocked_by'][number]

/** Who or what keeps a waiting request from its turn, the first of them (locks §31, §44). */
function blockersOf(table: LockTable, ticket: Ticket): Blocker[] {
  const blockers = closedTo(table, ticket)
  for (const edge of new WaitsFor(table, {}).inTheWayOf(ticket)) {
    if (blockers.length >= LIMITS.holdersNamed) break
    const { agent, session } = edge.owner
    const by =
      'lock' in edge.by ? { lock: `L${edge.by.lock.id}` } : { ticket: `T${edge.by.ticket.id}` }
    blockers.push({ agent, session, path: edge.item.path, ...by })
  }
  return blockers.slice(0, LIMITS.holdersNamed)
}

/** Nobody has them any more, so nobody is waited for: they open by themselves. */
function closedTo(table: LockTable, ticket: Ticket): Blocker[] {
  if (table.closed.size === 0) return []
  return ticket.items.flatMap((wanted) =>
    holdersInTheWay(table, wanted, [ticket.owner], Number.POSITIVE_INFINITY).flatMap(({ by }) => {
      if (by.closedUntil === undefined) return []
      const { agent, session } = by.owner
      const closed_until = isoTime(by.closedUntil)
      return [{ agent, session, path: wanted.path, lock: `L${by.id}`, closed_until }]
    }),
  )
}

export function workspaceStatus(reader: Reader, board: NoticeBoard): Output<'workspace_status'> {
  const { state, actor, moment } = reader
  const owner = state.locks.owners.get(actor.session)
  return {
    workspace: state.workspace,
    agent: actor.agent,
    session: actor.session,
    role: actor.role,
    revision: state.revision,
    locks: [...(owner?.locks ?? [])].map((lock) => lockFacts(lock, moment)),
    tickets: [...(owner?.tickets ?? [])].map((ticket) => ({
      ticket: `T${ticket.id}`,
      paths: ticket.items.map((item) => item.path),
      position: positionOf(ticket),
    })),
    rights: [...actor.rights],
    totals: { locks: state.locks.locks.size, waiting: state.locks.tickets.size },
    messages: messagesFor(reader, board),
    drafts: [...state.drafts.values()]
      .filter((one) => one.session === actor.session)
      .map(draftFacts),
    server_time: isoTime(moment.at),
  }
}

/** What was said lately and is not over, and of what still stands what a restart made forget. */
function messagesFor({ state, actor }: Reader, board: NoticeBoard): Notice[] {
  board.take(actor.session, state.workspace)
  const messages = board
    .recent(actor.session, state.workspace)
    .filter((notice) => isCurrent(notice, actor.session, state))
  for (const ask of state.asks.values()) {
    const isOpen = ask.to.session === actor.session && ask.answer === undefined
    const id = `A${ask.id}`
    if (!isOpen || messages.some((one) => one.ask === id)) continue
    messages.push({
      kind: 'asked',
      text: `${ask.from.session} asks about your lock L${ask.lock} on ${ask.paths.join(', ')}: "${ask.message}".`,
      at: isoTime(ask.at),
      lock: `L${ask.lock}`,
      paths: ask.paths,
      from: ask.from,
      ask: id,
    })
  }
  return messages
}

export function draftFacts(draft: KeptDraft): Output<'read_draft'> {
  const { id, path, lock, base, size, sha256, agent, session, at, until } = draft
  return {
    draft: `D${id}`,
    path,
    lock: `L${lock}`,
    base,
    size,
    sha256,
    agent,
    session,
    at: isoTime(at),
    until: isoTime(until),
  }
}
