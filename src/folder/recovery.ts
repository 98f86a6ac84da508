import { dirname } from 'node:path'
import type { EventOf, FileChange } from '../contract/events.ts'
import { versionOf } from '../core/file/entry.ts'
import type { FileStat } from '../store/file-system.ts'
import { inOrder } from './applying.ts'
import { hashOf } from './keeping.ts'
import type { OutsideChanges } from './outside-changes.ts'
import { makeFolders } from './own-folder.ts'
import type { Parts } from './parts.ts'
import { putContent } from './spooling.ts'
import { identityOf, isAsScanned, isSameContent, stampOf } from './stamps.ts'
import { swapIn } from './swap.ts'

/**
 * Follows a commit again that was decided before the server was started (folder §6). What was done is
 * known but for one change, which may have been under way; what comes after it finds the folder as it
 * was when it was decided.
 *
 * A file that holds what the commit was made from is brought up; any other was written by somebody
 * outside, and is taken in. Unless the machine has lost power: then any other may be what the disk made
 * of a write of ours, and is brought up too.
 */
export async function recover(
  parts: Parts,
  outside: OutsideChanges,
  event: EventOf<'files-committed'>,
  hasLostPower: boolean,
): Promise<void> {
  const { revision, changes } = event
  const done = parts.progress.doneOf(revision)
  for (const [at, change] of inOrder(changes).entries()) {
    const one = { revision, index: changes.indexOf(change), hasLostPower }
    if (at >= done) {
      await redo(parts, outside, change, one)
      parts.noteDone(revision, at + 1, change.path)
    } else if (hasLostPower && change.op === 'write' && isHead(parts, change, revision)) {
      // The disk may have lost what was written.
      await redoWrite(parts, outside, change, one)
    }
  }
}

interface Place {
  revision: number
  /** Of the change in its commit. */
  index: number
  hasLostPower: boolean
}

async function redo(
  parts: Parts,
  outside: OutsideChanges,
  change: FileChange,
  { revision, index, hasLostPower }: Place,
): Promise<void> {
  const { fs, roots } = parts
  const place = roots.diskPath(change.path)
  switch (change.op) {
    case 'make-folder':
      return makeFolders(fs, place)
    case 'move':
      return redoMove(parts, change, { revision, index })
    case 'delete': {
      const stat = fs.lstat(place)
      if (stat === undefined) return
      if (stat.kind === 'file' && !(await isOf(parts, change, place))) {
        return outside.take([change.path])
      }
      parts.stamps.remove(change.folder, change.name)
      fs.rename(place, parts.ownFolder(place).heldName(place, undefined, [revision, index]))
      return
    }
    case 'write':
      return redoWrite(parts, outside, change, { revision, index, hasLostPower })
    case 'set-attributes':
  }
}

/** A name that is gone has moved already. */
function redoMove(
  parts: Parts,
  change: FileChange & { op: 'move' },
  { revision, index }: Omit<Place, 'hasLostPower'>,
): void {
  const { fs, roots, stamps } = parts
  const from = roots.diskPath(change.path)
  const to = roots.diskPath(change.to)
  const stat = fs.lstat(from)
  if (stat === undefined) return
  const there = fs.lstat(to)
  const isSame = there !== undefined && identityOf(there) === identityOf(stat)
  // Somebody outside has made a folder there: it stays, and so does what should have moved.
  if (there?.kind === 'folder' && !isSame) return
  makeFolders(fs, dirname(to))
  if (there !== undefined && !isSame) {
    fs.rename(to, parts.ownFolder(to).heldName(to, undefined, [revision, index]))
  }
  fs.rename(from, to)
  stamps.move(change, fs.lstat(to))
}

async function redoWrite(
  parts: Parts,
  outside: OutsideChanges,
  change: FileChange & { op: 'write' },
  { revision, index, hasLostPower }: Place,
): Promise<void> {
  const { fs, roots } = parts
  const { path, folder, name } = change
  const place = roots.diskPath(path)
  const stat = fs.lstat(place)
  if (stat !== undefined && stat.kind !== 'file') return outside.take([path])
  const found = stat === undefined ? undefined : await hashOf(parts, place)
  if (stat !== undefined && found === change.sha256) {
    parts.noteInStep(path, folder, name, revision, stat)
    return
  }
  const isOurs = hasLostPower || stat === undefined
  if (!isOurs && !(await isBase(parts, change, { stat, sha256: found })))
    return outside.take([path])
  const own = parts.ownFolder(place)
  const fresh = own.newName(place)
  await putContent(parts, fresh, change)
  if (stat !== undefined) fs.changeMode(fresh, stat.mode)
  makeFolders(fs, dirname(place))
  const { now } = swapIn(fs, fresh, place, own.heldName(place, undefined, [revision, index]))
  if (now !== undefined) parts.noteInStep(path, folder, name, revision, now)
}

/** What came later is looked at when its turn comes. */
function isHead(
  parts: Parts,
  { path, id }: FileChange & { op: 'write' },
  revision: number,
): boolean {
  const { entry } = parts.resolve(path)
  return entry?.kind === 'file' && entry.id === id && entry.version === revision
}

/** Whether a file still holds what a commit was made from. */
async function isBase(
  parts: Parts,
  { id, base, folder, name, created }: FileChange & { op: 'write' },
  { stat, sha256 }: { stat: FileStat; sha256: string | undefined },
): Promise<boolean> {
  if (created === true) return false
  const before = versionOf(parts.state.records, id, base)
  if (before === undefined) return false
  if (before.sha256 !== '') return before.sha256 === sha256
  // Nobody had read it: its stamp is all that is known of it, or what the scan recorded.
  const row = parts.stamps.get(folder, name)
  if (row?.version === base) return isSameContent(row.stamp, stampOf(stat))
  const event = await parts.context.stream.eventAt(base)
  if (event?.kind !== 'files-committed') return false
  const scanned = event.changes.find((one) => one.op === 'write' && one.id === id)
  return scanned?.op === 'write' && isAsScanned(scanned, stat)
}

/** Whether what stands there is what was deleted. */
async function isOf(
  parts: Parts,
  { folder, name }: FileChange & { op: 'delete' },
  place: string,
): Promise<boolean> {
  const gone = parts.entryAt(folder, name)
  if (gone?.kind !== 'gone' || gone.fileId === undefined || gone.version === undefined) return true
  const { records } = parts.state
  const deletion = versionOf(records, gone.fileId, gone.version)
  const before = deletion === undefined ? undefined : versionOf(records, gone.fileId, deletion.base)
  if (before === undefined || before.sha256 === '') return true
  return (await hashOf(parts, place)) === before.sha256
}
