import type { Output, Parsed } from '../../contract/operations.ts'
import { isWithin } from '../../contract/path.ts'
import { leadsToReadable, mayRead } from '../../core/agent/rights.ts'
import { type Entry, entryKey, type FolderEntry, folderRange } from '../../core/file/entry.ts'
import { resolvePath } from '../../core/file/resolve-path.ts'
import type { Reader } from '../handler.ts'
import { holderOf } from '../lock/lock-answers.ts'
import { fileFacts } from './file-facts.ts'
import { assertReadable, notFound } from './look-up.ts'

type Listed = Output<'get_entry'>
type Row = Extract<Listed, { kind: 'folder' }>['entries'][number]

export function getEntry(reader: Reader, input: Parsed<'get_entry'>): Listed {
  const { state, moment } = reader
  const { path, depth } = input
  const place = resolvePath(state.records, path, state.settings.portable_names)
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
