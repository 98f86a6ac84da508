import { dirname } from 'node:path'
import type { EventOf, FileChange } from '../contract/events.ts'
import { type VersionRecord, versionKey } from '../core/file/entry.ts'
import { contentOf } from '../engine/file/contents.ts'
import { hashOf, isKept, keep, readWhole } from './keeping.ts'
import { keepTree, recordBeside } from './late-writers.ts'
import type { OutsideChanges } from './outside-changes.ts'
import { makeFolders } from './own-folder.ts'
import type { Parts } from './parts.ts'
import { swapIn } from './swap.ts'

/**
 * Follows a commit again that was decided before the server was started, and that the folder may have
 * followed wholly, in part or not at all (folder §6). Done twice it comes to the same.
 *
 * A file that holds what the commit was made from is brought up; one that holds what the records say is
 * left as it is; any other was written by somebody outside, and is taken in. Unless the machine has lost
 * power: then any other may be what the disk made of a write of ours, and is brought up too.
 */
export async function recover(
  parts: Parts,
  outside: OutsideChanges,
  event: EventOf<'files-committed'>,
  hasLostPower: boolean,
): Promise<void> {
  for (const [index, change] of event.changes.entries()) {
    await recoverChange(parts, outside, event, { change, index, hasLostPower })
  }
}

async function recoverChange(
  parts: Parts,
  outside: OutsideChanges,
  event: EventOf<'files-committed'>,
  { change, index, hasLostPower }: { change: FileChange; index: number; hasLostPower: boolean },
): Promise<void> {
  const { fs, roots } = parts
  const place = roots.diskPath(change.path)
  switch (change.op) {
    case 'make-folder':
      if (parts.resolve(change.path).entry?.kind === 'folder') makeFolders(fs, place)
      return
    case 'move': {
      const to = roots.diskPath(change.to)
      // A later commit may have moved it on, or put something else there.
      if (fs.lstat(place) === undefined || fs.lstat(to) !== undefined) return
      if (parts.resolve(change.path).entry !== undefined) return
      makeFolders(fs, dirname(to))
      fs.rename(place, to)
      return
    }
    case 'delete': {
      if (parts.resolve(change.path).entry !== undefined) return
      const stat = fs.lstat(place)
      if (stat === undefined) return
      if (stat.kind === 'file' && !(await isOf(parts, change, place))) {
        await outside.take([change.path])
        return
      }
      fs.rename(place, parts.ownFolder(place).heldName(place, undefined, [event.revision, index]))
      return
    }
    case 'write':
      return recoverWrite(parts, outside, {
        ...{ revision: event.revision, change, index, hasLostPower },
      })
    case 'set-attributes':
  }
}

async function recoverWrite(
  parts: Parts,
  outside: OutsideChanges,
  of: {
    revision: number
    change: FileChange & { op: 'write' }
    index: number
    hasLostPower: boolean
  },
): Promise<void> {
  const { fs, roots, context } = parts
  const { revision, change, index, hasLostPower } = of
  const { path, id, base, folder, name } = change
  const { entry } = parts.resolve(path)
  // What came later is looked at when its turn comes.
  if (entry?.kind !== 'file' || entry.id !== id || entry.version !== revision) return
  const place = roots.diskPath(path)
  const stat = fs.lstat(place)
  if (stat !== undefined && stat.kind !== 'file') return outside.take([path])
  const found = stat === undefined ? undefined : await hashOf(parts, place)
  if (stat !== undefined && found === change.sha256) {
    parts.noteInStep(path, folder, name, revision, stat)
    return
  }
  if (stat !== undefined && !hasLostPower && !(await isBase(parts, id, base, found, change))) {
    return outside.take([path])
  }
  const own = parts.ownFolder(place)
  const fresh = own.newName(place)
  const content = contentOf(context.stream.overlay, context.blobs, change)
  await fs.createLarge(fresh, content.stream(), 0o666)
  if (stat !== undefined) fs.changeMode(fresh, stat.mode)
  makeFolders(fs, dirname(place))
  const { now } = swapIn(fs, fresh, place, own.heldName(place, undefined, [revision, index]))
  if (now !== undefined) parts.noteInStep(path, folder, name, revision, now)
}

/** Whether a file still holds what a commit was made from. */
async function isBase(
  parts: Parts,
  id: number,
  base: number,
  found: string | undefined,
  { folder, name, created }: FileChange & { op: 'write' },
): Promise<boolean> {
  if (created === true) return false
  const before = versionOf(parts, id, base)
  if (before === undefined) return false
  if (before.sha256 !== '') return before.sha256 === found
  // Nobody had read it: its stamp is all that is known of it.
  return parts.stamps.get(folder, name)?.version === base
}

/** Whether what stands there is what was deleted. */
async function isOf(
  parts: Parts,
  { folder, name }: FileChange & { op: 'delete' },
  place: string,
): Promise<boolean> {
  const gone = parts.entryAt(folder, name)
  if (gone?.kind !== 'gone' || gone.fileId === undefined || gone.version === undefined) return true
  const deletion = versionOf(parts, gone.fileId, gone.version)
  const before = deletion === undefined ? undefined : versionOf(parts, gone.fileId, deletion.base)
  if (before === undefined || before.sha256 === '') return true
  return (await hashOf(parts, place)) === before.sha256
}

function versionOf(parts: Parts, file: number, version: number): VersionRecord | undefined {
  return parts.state.records.get('version', versionKey(file, version)) as VersionRecord | undefined
}

/**
 * What a server that was killed had replaced or deleted and not looked at yet: what has no version is
 * kept, and so is what somebody had written to it.
 */
export async function recoverHeld(parts: Parts): Promise<void> {
  for (const own of parts.ownFolders) {
    for (const { held, revision, change } of own.heldBefore()) {
      const event = await parts.context.stream.eventAt(revision)
      const of = event?.kind === 'files-committed' ? event.changes[change] : undefined
      // Of a fact that is no longer kept: nobody can say whose it was, so it is left to people.
      if (of === undefined) continue
      await keepHeld(parts, held, of)
      await parts.fs.removeTree(held)
    }
  }
}

async function keepHeld(parts: Parts, held: string, change: FileChange): Promise<void> {
  const stat = parts.fs.lstat(held)
  const path = change.op === 'move' ? change.to : change.path
  const { folder, name } = change
  const entry = parts.entryAt(folder, name)
  if (stat?.kind === 'folder') {
    const id = entry?.past?.find(({ kind }) => kind === 'folder')?.id
    if (id !== undefined) await keepTree(parts, held, { path, id })
    return
  }
  if (stat?.kind !== 'file' || !isKept(parts, stat.size) || !parts.tracked.has(path, false)) return
  const id = entry?.kind === 'gone' ? entry.fileId : entry?.id
  if (id === undefined || entry?.kind === 'folder') return
  const read = await readWhole(parts, held)
  const versions = versionsOf(parts, id)
  if (versions.some(({ sha256 }) => sha256 === read.content.sha256)) return
  const unread = versions.find(({ sha256, size, how }) => {
    return sha256 === '' && how !== 'delete' && size === read.content.size
  })
  if (unread === undefined) return recordBeside(parts, path, read, undefined)
  keep(parts, { path, folder, name, id, version: unread.version }, read)
}

function versionsOf(parts: Parts, file: number): VersionRecord[] {
  const number = file.toString(36)
  const rows = parts.state.records.range('version', `${number}/`, `${number}0`, VERSIONS_LOOKED_AT)
  return rows.map(([, value]) => value as VersionRecord)
}

const VERSIONS_LOOKED_AT = 1000
