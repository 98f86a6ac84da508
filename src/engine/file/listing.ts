import { SluiceError } from '../../contract/errors.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { childPath, foldPath, isWithin } from '../../contract/path.ts'
import { leadsToReadable, mayRead } from '../../core/agent/rights.ts'
import { type Entry, entryKey, type FolderEntry, folderRange } from '../../core/file/entry.ts'
import { resolvePath } from '../../core/file/resolve-path.ts'
import { OUTSIDE } from '../../core/file/take-in.ts'
import type { HolderFacts } from '../../core/lock/describe.ts'
import { compareKeys } from '../../store/tables.ts'
import type { Reader } from '../handler.ts'
import { holderOf } from '../lock/lock-answers.ts'
import type { Child, DiskFacts, WorkingTree } from '../working-tree.ts'
import { fileFacts } from './file-facts.ts'
import { assertReadable, notFound } from './look-up.ts'

type Listed = Output<'get_entry'>
type Row = Extract<Listed, { kind: 'folder' }>['entries'][number]

export function getEntry(
  reader: Reader,
  input: Parsed<'get_entry'>,
  tree: WorkingTree | undefined,
): Listed {
  const { state, moment } = reader
  const { path, depth } = input
  const place = resolvePath(state.records, path, state.settings.portable_names)
  const { entry } = place
  const disk = tree === undefined ? undefined : diskFacts(tree.factsOf(path))
  // The way to what may be read can be listed; only what may be read, or leads there, is in the list.
  const isWay = entry?.kind === 'folder' && leadsToReadable(reader.actor.rights, state, path)
  if (!isWay) assertReadable(reader, path)
  if (entry === undefined) return notFound(path, place.clash)
  const lock = holderOf(state.locks, path, moment)
  if (entry.kind === 'file') {
    return { ...fileFacts(path, entry, lock), ...optional('disk', disk) }
  }
  const listing = new Listing(reader, input.limit, input.cursor, tree)
  if (depth > 0) listing.walk(entry, path, depth)
  return {
    path,
    kind: 'folder',
    ...optional('lock', lock),
    ...optional('disk', disk),
    entries: listing.rows,
    ...(listing.next === undefined ? {} : { cursor: listing.next }),
  }
}

/** Folders before what lies in them, names in key order; a cursor is the last path given. */
class Listing {
  readonly rows: Row[] = []
  next: string | undefined
  private top: string | undefined
  private readonly reader: Reader
  private readonly limit: number
  private readonly after: string | undefined
  private readonly tree: WorkingTree | undefined

  constructor(
    reader: Reader,
    limit: number,
    after: string | undefined,
    tree: WorkingTree | undefined,
  ) {
    this.reader = reader
    this.limit = limit
    this.after = after
    this.tree = tree
  }

  /** Returns false when the limit was reached. */
  walk(folder: FolderEntry | undefined, path: string, depth: number): boolean {
    if (this.tree !== undefined) return this.walkDisk(this.tree, path, depth)
    if (folder === undefined) return true
    return this.walkRecords(folder, path, depth)
  }

  /** In a folder, what is there is what the disk says; the records know more of some of it. */
  private walkDisk(tree: WorkingTree, path: string, depth: number): boolean {
    const name = this.cursorName(path)
    for (const child of this.childrenOf(tree, path)) {
      // What lies before the cursor was given already.
      if (name !== undefined && this.compareNames(child.name, name) < 0) continue
      if (!this.addChild(child, path, depth)) return false
    }
    return true
  }

  /** One folder that may not be looked into leaves the others to be listed. */
  private childrenOf(tree: WorkingTree, path: string): readonly Child[] {
    this.top ??= path
    try {
      return tree.childrenOf(path)
    } catch (error) {
      if (path === this.top || !(error instanceof SluiceError)) throw error
      if (error.code === 'forbidden') return []
      throw error
    }
  }

  private walkRecords(folder: FolderEntry, path: string, depth: number): boolean {
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
    return this.addOne(entry, folder, depth, (path, lock) =>
      entry.kind === 'file' ? fileFacts(path, entry, lock) : folderFacts(path, lock),
    )
  }

  private addChild(child: Child, folder: string, depth: number): boolean {
    const { entry } = child
    return this.addOne(child, folder, depth, (path, lock) => {
      if (child.kind === 'folder') return { ...folderFacts(path, lock), size: child.size }
      if (entry?.kind === 'file') return fileFacts(path, entry, lock)
      return {
        ...{ path, kind: 'file', version: 0, size: child.size },
        created_at: diskTime(child.createdAt),
        modified_at: diskTime(child.modifiedAt),
        modified_by: OUTSIDE,
        ...optional('lock', lock),
        ...(child.isUnreachable ? { unreachable: true } : {}),
      }
    })
  }

  private addOne(
    entry: { name: string; kind: 'file' | 'folder'; id?: number },
    folder: string,
    depth: number,
    rowOf: (path: string, lock: HolderFacts | undefined) => Row,
  ): boolean {
    const { state, actor, moment } = this.reader
    const path = childPath(folder, entry.name)
    const isShown =
      mayRead(actor.rights, state, path) ||
      (entry.kind === 'folder' && leadsToReadable(actor.rights, state, path))
    if (!isShown) return true
    if (!this.isBefore(path)) {
      if (this.rows.length >= this.limit) {
        this.next = this.rows.at(-1)?.path
        return false
      }
      this.rows.push(rowOf(path, holderOf(state.locks, path, moment)))
    }
    if (entry.kind === 'file' || depth <= 1) return true
    // A whole subtree that was given already is skipped without looking into it.
    if (this.after !== undefined && this.isBefore(path) && !isWithin(path, this.after)) return true
    return this.walk(folderOf(entry), path, depth - 1)
  }

  /** The name in a folder that the cursor is or lies below. */
  private cursorName(folder: string): string | undefined {
    if (this.after === undefined || this.after === folder) return undefined
    if (!isWithin(folder, this.after)) return undefined
    return this.after.slice(folder === '/' ? 1 : folder.length + 1).split('/', 1)[0]
  }

  /** Order of a listing: name by name as the keys sort, a folder before its contents. */
  private comparePaths(a: string, b: string): number {
    const x = a.split('/')
    const y = b.split('/')
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      const order = this.compareNames(x[i] as string, y[i] as string)
      if (order !== 0) return order
    }
    return x.length - y.length
  }

  private compareNames(a: string, b: string): number {
    const portable = this.reader.state.settings.portable_names
    return compareKeys(foldPath(a, portable), foldPath(b, portable))
  }

  private isBefore(path: string): boolean {
    return this.after !== undefined && this.comparePaths(path, this.after) <= 0
  }
}

function folderOf(entry: { kind: 'file' | 'folder' }): FolderEntry | undefined {
  return 'id' in entry ? (entry as FolderEntry) : undefined
}

function folderFacts(path: string, lock: HolderFacts | undefined): Row {
  return { path, kind: 'folder', ...optional('lock', lock) }
}

/** The disk has its own clock. Rounded as Node's own dates of files are. */
function diskTime(ms: number): string {
  return new Date(Math.round(ms)).toISOString()
}

function diskFacts(facts: DiskFacts | undefined): Listed['disk'] {
  if (facts === undefined) return undefined
  const { size, createdAt, modifiedAt, accessedAt, mode } = facts
  return {
    size,
    created_at: diskTime(createdAt),
    modified_at: diskTime(modifiedAt),
    accessed_at: diskTime(accessedAt),
    permissions: mode.toString(8).padStart(3, '0'),
  }
}

const PAGE_ROWS = 500
