import type { FileChange } from '../contract/events.ts'
import { type Entry, entryKey, folderRange } from '../core/file/entry.ts'
import type { Overlay } from '../engine/stream/overlay.ts'
import type { FileStat } from '../store/file-system.ts'

/**
 * What a file was like when folder and records were last in step (folder §4). As long as its stamp is
 * the same, the file holds its version, and need not be read to know it.
 */
export interface DiskRow {
  version: number
  stamp: string
  identity: string
  /**
   * It was changed within the grain of the clock: a write of the same length right after would leave the
   * same stamp, so its content is compared once more.
   */
  young?: true
}

/**
 * Identity, size and times. The time of its last change of state stands last: a second name for a file
 * changes that, and nothing else.
 */
export function stampOf({ device, inode, size, modifiedNs, changedNs }: FileStat): string {
  return `${device}.${inode}.${size}.${modifiedNs}|${changedNs}`
}

/** Whether nothing was written between two stamps; names and permissions may have changed. */
export function isSameContent(stamp: string, other: string): boolean {
  const end = stamp.indexOf('|') + 1
  return other.indexOf('|') + 1 === end && other.startsWith(stamp.slice(0, end))
}

/**
 * What a file or folder keeps under any name. Numbers of what was deleted are given again at once; the
 * time of birth tells the one from the other.
 */
export function identityOf({ device, inode, bornNs }: FileStat): string {
  return `${device}.${inode}.${bornNs}`
}

/** The rows of a workspace, kept in its tables: they outlive a restart, and are no facts. */
export class Stamps {
  private readonly overlay: () => Overlay
  private readonly portable: () => boolean

  constructor(overlay: () => Overlay, portable: () => boolean) {
    this.overlay = overlay
    this.portable = portable
  }

  get(folder: number, name: string): DiskRow | undefined {
    const key = entryKey(folder, name, this.portable())
    return this.overlay().get('disk', key) as DiskRow | undefined
  }

  /** All of one folder, by the names that keys have. */
  rowsIn(folder: number): Map<string, DiskRow> {
    const [from, to] = folderRange(folder)
    const rows = this.overlay().range('disk', from, to, Number.POSITIVE_INFINITY)
    return new Map(rows.map(([key, row]) => [key.slice(from.length), row as DiskRow]))
  }

  put(folder: number, name: string, row: DiskRow): void {
    this.overlay().put('disk', entryKey(folder, name, this.portable()), row)
  }

  remove(folder: number, name: string): void {
    this.overlay().put('disk', entryKey(folder, name, this.portable()), undefined)
  }

  /**
   * With what has moved. Another name is another time of change, and nothing else: a file that has
   * changed besides is in step no more.
   * @param now of what has the new name; undefined: it is gone again
   */
  move(
    { folder, name, toFolder, toName }: FileChange & { op: 'move' },
    now: FileStat | undefined,
  ): void {
    const row = this.get(folder, name)
    this.remove(folder, name)
    if (row === undefined || now === undefined) return
    const stamp = row.stamp === '' ? '' : stampOf(now)
    if (isSameContent(row.stamp, stamp)) this.put(toFolder, toName, { ...row, stamp })
  }
}

/** @param now of the file system's clock, ms since 1970 */
export function rowOf(version: number, stat: FileStat, now: number): DiskRow {
  const row = { version, stamp: stampOf(stat), identity: identityOf(stat) }
  return isYoung(stat, now) ? { ...row, young: true } : row
}

/** Another write right now could leave the same times. One from the future may be any age. */
function isYoung({ modifiedNs, changedNs }: FileStat, now: number): boolean {
  const newest = Number((modifiedNs > changedNs ? modifiedNs : changedNs) / 1_000_000n)
  return newest > now - GRAIN_MS
}

/** More than a tick of any kernel's clock, in ms. File systems that count whole seconds are rarer. */
const GRAIN_MS = 20

/**
 * Whether a file is as the scan found it, of which the ledger has size and time: a crash may have taken
 * along the row that knew more.
 */
export function isAsScanned(
  scanned: { sha256: string; size: number; modifiedAt?: number | undefined } | undefined,
  { size, modifiedAt }: FileStat,
): boolean {
  if (scanned === undefined || scanned.sha256 !== '') return false
  return scanned.size === size && scanned.modifiedAt === Math.trunc(modifiedAt)
}

/** Whether a row says that a file holds its newest version. */
export function isInStep(
  row: DiskRow | undefined,
  entry: Entry | undefined,
  stat: FileStat,
): boolean {
  return (
    entry?.kind === 'file' &&
    row !== undefined &&
    row.version === entry.version &&
    row.stamp === stampOf(stat)
  )
}
