import { basename } from 'node:path'
import type { FileChange } from '../contract/events.ts'
import type { VersionRecord } from '../core/file/entry.ts'
import { occupantsOf } from '../core/file/resolve-path.ts'
import { isShut } from './disk-refusal.ts'
import { isToBeKept, keep, readWhole } from './keeping.ts'
import { keepTree, recordBeside } from './late-writers.ts'
import { leftBeside } from './own-name.ts'
import type { Parts } from './parts.ts'

/**
 * What a server that was killed had replaced or deleted and not looked at yet: what has no version is
 * kept, and so is what somebody had written to it.
 */
export async function recoverHeld(parts: Parts): Promise<void> {
  for (const own of parts.ownFolders) {
    for (const { held, revision, change } of own.heldBefore()) {
      await recoverOne(parts, held, revision, change)
    }
  }
}

/** The same of what lies beside files, where another disk is mounted in a root. */
export async function recoverBeside(parts: Parts, disk: string): Promise<void> {
  const left = leftBeside(basename(disk))
  if (left?.kind === 'new') await parts.fs.removeTree(disk)
  if (left?.kind === 'held') await recoverOne(parts, disk, left.revision, left.change)
}

async function recoverOne(
  parts: Parts,
  held: string,
  revision: number,
  change: number,
): Promise<void> {
  const event = await parts.context.stream.eventAt(revision)
  const of = event?.kind === 'files-committed' ? event.changes[change] : undefined
  // Of a fact that is no longer kept: nobody can say whose it was, so it is left to people.
  if (of === undefined) return
  try {
    await keepHeld(parts, held, of)
    await parts.fs.removeTree(held)
  } catch (error) {
    // What may not be read cannot be kept, and what is not kept does not go.
    if (!isShut(error)) throw error
    parts.log(`what was held as ${held} stays there`, error)
  }
}

async function keepHeld(parts: Parts, held: string, change: FileChange): Promise<void> {
  const stat = parts.fs.lstat(held)
  // What a move replaces had the name that it moves to.
  const { path, folder, name } =
    change.op === 'move'
      ? { path: change.to, folder: change.toFolder, name: change.toName }
      : change
  const entry = parts.entryAt(folder, name)
  if (stat?.kind === 'folder') {
    const id = entry?.past?.find(({ kind }) => kind === 'folder')?.id
    if (id !== undefined) await keepTree(parts, held, { path, id })
    return
  }
  if (stat?.kind !== 'file' || !isToBeKept(parts, path, stat.size)) return
  if (entry === undefined) return
  const read = await readWhole(parts, held)
  const versions = occupantsOf(entry, 'file').flatMap(({ id }) =>
    versionsOf(parts, id).map((one) => ({ ...one, id })),
  )
  if (versions.some(({ sha256 }) => sha256 === read.content.sha256)) return
  const unread = versions.find(({ sha256, size, how }) => {
    return sha256 === '' && how !== 'delete' && size === read.content.size
  })
  if (unread === undefined) return recordBeside(parts, path, read, undefined)
  keep(parts, { path, folder, name, id: unread.id, version: unread.version }, read)
}

function versionsOf(parts: Parts, file: number): VersionRecord[] {
  const number = file.toString(36)
  const rows = parts.state.records.range('version', `${number}/`, `${number}0`, VERSIONS_LOOKED_AT)
  return rows.map(([, value]) => value as VersionRecord)
}

const VERSIONS_LOOKED_AT = 1000
