import type { EventOf, FileChange } from '../../src/contract/events.ts'
import type { Disagree } from './disagree.ts'
import type { Facts } from './facts.ts'
import type { Told } from './foresight.ts'
import { conflicts, contains, type Piece, pieceOf, STRENGTH } from './leaf.ts'

/** Whose holds let a commit be made (record 0008 no. 27, locks §33), and on which versions. */
export class CommitRules {
  private readonly facts: Facts
  private readonly disagree: Disagree
  /** Versions that a session made of one that it knew: `session revision`. */
  private readonly carried = new Set<string>()

  constructor(facts: Facts, disagree: Disagree) {
    this.facts = facts
    this.disagree = disagree
  }

  allow(event: EventOf<'files-committed'>, told?: Told): void {
    const { facts } = this
    this.isKnown(event, told)
    const sessions = new Set([event.session])
    for (const lock of event.locks ?? []) {
      const hold = facts.holds.get(lock)
      if (hold === undefined) this.disagree('I4', `a commit under L${lock}, which is not held`)
      else sessions.add(hold.session)
    }
    this.isCovered(event, sessions)
    const bases = new Map<string, number>()
    for (const change of event.changes) {
      // Folders on the way to what is written are made whoever holds what in them.
      if (change.op === 'make-folder') continue
      for (const hold of [...facts.holds.values(), ...facts.closed.values()]) {
        const isOwn = hold.closedUntil === undefined && sessions.has(hold.session)
        if (isOwn || !hold.pieces.some((piece) => this.stops(piece, change))) continue
        this.disagree('I3', `${event.session} changed ${change.path} against L${hold.id}`)
      }
      if (change.op !== 'write') continue
      const base = bases.get(change.path) ?? facts.files.baseOf(change.path)
      bases.set(change.path, event.revision)
      if (change.base !== base && event.changes.length === 1) {
        this.disagree('I5', `${change.path} has version ${base}, not ${change.base}`)
      }
    }
  }

  /**
   * files §9: what is replaced or deleted was known to whoever did it: named by its version, written
   * whole by the same caller, or answered to it before. A lock is no knowledge.
   */
  private isKnown({ changes, session, revision }: EventOf<'files-committed'>, told?: Told): void {
    const { files, settings } = this.facts
    if (told?.command.kind !== 'commit' || told.seen === undefined) return
    if (settings.write_mode === 'open') return
    const named = told.command.changes.flatMap((change) =>
      'ifVersion' in change && change.ifVersion !== undefined ? [change.path] : [],
    )
    const made = new Set<string>()
    const { seen } = told
    const knows = (path: string, version: number): boolean =>
      seen.has(version) ||
      files.writerOf(path) === session ||
      this.carried.has(`${session} ${version}`)
    for (const change of changes) {
      const before = files.versionOf(change.path)
      const isOnNewest = change.op === 'write' && (change.how === 'append' || change.how === 'edit')
      // Who appends to or edits what it knows, knows what comes of it.
      if (isOnNewest && (before === 0 || knows(change.path, before))) {
        this.carried.add(`${session} ${revision}`)
      }
      const replaced = replacedBy(change)
      const version = replaced === undefined ? 0 : files.versionOf(replaced)
      if (replaced !== undefined && version > 0 && !made.has(replaced)) {
        const isKnown = named.includes(replaced) || knows(replaced, version)
        if (!isKnown) this.disagree('files §9', `${session} replaced ${replaced} unseen`)
      }
      made.add(change.path)
      if (change.op === 'move') made.add(change.to)
    }
  }

  /**
   * locks §33, record 0008 no. 28: under write or exclusive, where the workspace asks for it or the
   * commit names locks.
   */
  private isCovered(
    { changes, locks = [] }: EventOf<'files-committed'>,
    sessions: ReadonlySet<string>,
  ): void {
    if (this.facts.settings.write_mode !== 'locked' && locks.length === 0) return
    const own = [...this.facts.holds.values()].filter(({ session }) => sessions.has(session))
    const held = own.flatMap(({ pieces }) => pieces)
    for (const { op, path } of changes) {
      const isCovered = held.some(
        (piece) =>
          !piece.isMetadata &&
          STRENGTH[piece.leaf] >= STRENGTH.write &&
          (piece.path === path || (piece.isSubtree && contains(piece.path, path))),
      )
      // Whether a folder may be deleted with what is in it, covered by nothing, is left open.
      const isOpen = op === 'make-folder' || (op === 'delete' && this.facts.files.isFolder(path))
      if (!isOpen && !isCovered) this.disagree('I3', `no lock covers ${path}`)
    }
  }

  private stops(piece: Piece, change: FileChange): boolean {
    // locks §4: moving or deleting a folder takes all that is in it.
    const isWhole = change.op !== 'write' && this.facts.files.isFolder(change.path)
    const taken = pieceOf({ path: change.path, level: isWhole ? 'exclusive' : 'write' })
    if (change.op === 'move' && conflicts(piece, { ...taken, path: change.to })) return true
    if (change.op !== 'write') return conflicts(piece, taken)
    const size = this.facts.files.sizeOf(change.path)
    const { splice, how } = change
    const atEnd = { from: size, to: Number.POSITIVE_INFINITY }
    // An append is a write of the bytes from the end on (files §11); where nothing is, of all.
    const isAppended = how === 'append' && this.facts.files.versionOf(change.path) > 0
    if (!isAppended && splice === undefined) return conflicts(piece, taken)
    // Nothing lies below the bytes of a file.
    if (contains(change.path, piece.path)) return false
    const isAtEnd = splice === undefined || (splice.start === splice.end && splice.end === size)
    const range = isAtEnd ? atEnd : { from: splice.start, to: splice.end }
    return conflicts(piece, { ...taken, range })
  }
}

/** The file whose content a change takes away; appends and edits go to whatever is newest. */
function replacedBy(change: FileChange): string | undefined {
  if (change.op === 'delete') return change.path
  if (change.op === 'move') return change.to
  if (change.op !== 'write') return undefined
  return change.how === 'write' || change.how === 'copy' ? change.path : undefined
}
