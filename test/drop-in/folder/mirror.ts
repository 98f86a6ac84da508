import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Place } from './make.ts'
import { bytesOfPath } from './names.ts'
import { pathsThatDiffer, type Snapshot, snapshotOf } from './snapshot.ts'

/**
 * Makes the folder of the official server that of the other, so that one difference is told once and not
 * with every call that follows. The official server keeps nothing in memory: it does not notice.
 */
export function mirror(from: Place, to: Place, wanted: Snapshot): void {
  const differing = pathsThatDiffer(wanted, snapshotOf(to.base))
  for (const path of differing) {
    rmSync(bytesOfPath(join(to.base, path)), { recursive: true, force: true })
  }
  // What lay in a folder that was just removed is missing too.
  for (const path of pathsThatDiffer(wanted, snapshotOf(to.base))) copy(from, to, path, wanted)
  for (const path of [...wanted.keys()].reverse()) copyTime(from, to, path)
}

function copy(from: Place, to: Place, path: string, wanted: Snapshot): void {
  const source = bytesOfPath(join(from.base, path))
  const target = bytesOfPath(join(to.base, path))
  const { kind, mode } = wanted.get(path) ?? { kind: 'other', mode: '0' }
  if (kind === 'folder') mkdirSync(target, { recursive: true })
  else if (kind === 'file') writeFileSync(target, readFileSync(source))
  else if (kind === 'link') symlinkSync(readlinkSync(source).replace(from.base, to.base), target)
  if (kind === 'folder' || kind === 'file') chmodSync(target, Number.parseInt(mode, 8))
}

function copyTime(from: Place, to: Place, path: string): void {
  const { atime, mtime } = lstatSync(bytesOfPath(join(from.base, path)))
  lutimesSync(bytesOfPath(join(to.base, path)), atime, mtime)
}
