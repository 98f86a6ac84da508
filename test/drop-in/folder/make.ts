import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Entry } from './entry.ts'
import { bytesOfPath } from './names.ts'
import { snapshotOf } from './snapshot.ts'

/** Where one server works: `folder` is served, `outside` is beside it, `home` is its user's. */
export interface Place {
  base: string
  folder: string
  home: string
  remove(): Promise<void>
}

/**
 * Long ago, so that a time that is told is known for the folder's own or for one of the run. What was
 * not touched still has it.
 */
const MADE_AT = new Date('2001-02-03T04:05:06Z')

/** The same folder at a place of its own. All places have paths of one length. */
export async function makePlace(entries: readonly Entry[]): Promise<Place> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'sluice-drop-in-')))
  for (const name of ['folder', 'outside', 'home']) mkdirSync(join(base, name))
  for (const entry of entries) make(base, entry)
  for (const path of [...snapshotOf(base).keys()].reverse()) touch(base, path)
  return {
    base,
    folder: join(base, 'folder'),
    home: join(base, 'home'),
    remove: () => rm(base, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** What is served, and what is not (its paths say so already). */
export function entriesOf(served: readonly Entry[], beside: readonly Entry[]): Entry[] {
  return [
    ...beside,
    ...served.map((entry) => {
      const path = `folder/${entry.path}`
      return entry.kind === 'same'
        ? { ...entry, path, of: `folder/${entry.of}` }
        : { ...entry, path }
    }),
  ]
}

function make(base: string, entry: Entry): void {
  const path = bytesOfPath(join(base, entry.path))
  mkdirSync(bytesOfPath(dirname(join(base, entry.path))), { recursive: true })
  if (entry.kind === 'folder') {
    mkdirSync(path)
  } else if (entry.kind === 'link') {
    symlinkSync(entry.to.replace(/^@/, base), path)
  } else if (entry.kind === 'same') {
    linkSync(join(base, entry.of), path)
  } else {
    writeFileSync(path, entry.bytes)
  }
  // Given to what is made, a mode would be cut by the umask of whoever runs this.
  if (entry.kind === 'folder' || entry.kind === 'file') chmodSync(path, entry.mode)
}

function touch(base: string, name: string): void {
  lutimesSync(bytesOfPath(join(base, name)), MADE_AT, MADE_AT)
}
