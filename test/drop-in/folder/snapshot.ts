import { createHash } from 'node:crypto'
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { bytesOfPath, pathOfBytes } from './names.ts'

/** What stands at a path, as far as two folders that are equal have it in common. */
export interface Standing {
  kind: 'file' | 'folder' | 'link' | 'other'
  mode: string
  /** Of a file: its bytes. */
  size?: number
  hash?: string
  /** Of a link: its target, with `<base>` for the place that it lies in. */
  to?: string
}

export type Snapshot = ReadonlyMap<string, Standing>

/** All that lies at a place by its path, a folder before its contents; what a server keeps for itself is left out. */
export function snapshotOf(base: string): Snapshot {
  const found = new Map<string, Standing>()
  visit(base, '', found)
  return found
}

/** Of a server's own: its data, and the home of its user. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.sluice', 'home'])

function visit(base: string, folder: string, found: Map<string, Standing>): void {
  const names = readdirSync(bytesOfPath(join(base, folder)), { encoding: 'buffer' })
  for (const name of names.map(pathOfBytes).sort()) {
    if (LEFT_OUT.has(name)) continue
    const path = folder === '' ? name : `${folder}/${name}`
    const standing = standingAt(base, path)
    found.set(path, standing)
    if (standing.kind === 'folder') visit(base, path, found)
  }
}

function standingAt(base: string, path: string): Standing {
  const full = bytesOfPath(join(base, path))
  const stats = lstatSync(full, { bigint: true })
  const mode = (stats.mode & 0o7777n).toString(8)
  if (stats.isDirectory()) return { kind: 'folder', mode }
  if (stats.isSymbolicLink()) {
    const to = pathOfBytes(readlinkSync(full, { encoding: 'buffer' }))
    return { kind: 'link', mode, to: to.replace(base, '<base>') }
  }
  if (!stats.isFile()) return { kind: 'other', mode }
  return { kind: 'file', mode, size: Number(stats.size), hash: hashOf(full, stats) }
}

/** Files are many and large, and few of them change between two looks. */
const hashes = new Map<string, string>()

function hashOf(path: Buffer, { dev, ino, size, ctimeNs, ctimeMs }: BigIntStats): string {
  const key = `${dev} ${ino} ${size} ${ctimeNs}`
  const known = hashes.get(key)
  if (known !== undefined) return known
  // What changes twice within a tick of the file system's clock has one time for both.
  const isOld = Date.now() - Number(ctimeMs) > TICK_MS
  const hash = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
  if (isOld) hashes.set(key, hash)
  return hash
}

const TICK_MS = 50

/** Paths at which two snapshots are not the same. */
export function pathsThatDiffer(one: Snapshot, other: Snapshot): string[] {
  const paths = new Set([...one.keys(), ...other.keys()])
  return [...paths].filter((path) => !isSame(one.get(path), other.get(path)))
}

function isSame(one: Standing | undefined, other: Standing | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (['kind', 'mode', 'size', 'hash', 'to'] as const).every(
    (fact) => one[fact] === other[fact],
  )
}
