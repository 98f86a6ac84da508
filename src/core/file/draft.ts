import type { Attributes, EventFrame, FileChange } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import type { Splice } from '../lock/range.ts'
import type { State } from '../state.ts'
import { applyChange } from './apply-change.ts'
import { type Entry, folderRange, type Records } from './entry.ts'
import { type ResolvedPath, resolvePath } from './resolve-path.ts'
import { scratchOf } from './scratch-records.ts'

/** What a write leaves at a path, besides who wrote it. */
export interface Put {
  content: { sha256: string; size: number }
  from?: { path: string; version: number }
  splice?: Splice | undefined
  attributes?: Attributes | undefined
  /** Of a file that was changed outside of the server: when that was, ms since 1970. */
  modifiedAt?: number | undefined
}

/** The changes of one commit in the making. Each is made on what the ones before it leave. */
export class Draft {
  readonly changes: FileChange[] = []
  protected readonly portable: boolean
  private readonly state: State
  private readonly frame: EventFrame
  private scratch: Records | undefined
  /** Not in the scratch yet: nobody has looked since. */
  private readonly unseen: FileChange[] = []
  private nextFileId: number

  /** @param at ms since 1970 */
  constructor(state: State, by: { agent: string; session: string }, at: number) {
    const { agent, session } = by
    this.state = state
    this.portable = state.settings.portable_names
    this.frame = { revision: state.revision + 1, at, agent, session }
    this.nextFileId = state.nextFileId
  }

  protected place(path: string): ResolvedPath {
    return resolvePath(this.records, path, this.portable)
  }

  /** As the changes so far leave it. A lone change looks at the state itself, and nothing is copied. */
  protected get records(): Records {
    if (this.unseen.length > 0) {
      this.scratch ??= scratchOf(this.state.records)
      for (const change of this.unseen.splice(0)) {
        applyChange(this.scratch, change, this.frame, {}, this.portable)
      }
    }
    return this.scratch ?? this.state.records
  }

  protected push(change: FileChange): void {
    this.changes.push(change)
    this.unseen.push(change)
  }

  protected pushFolder(path: string, folder: number, name: string): void {
    this.push({ op: 'make-folder', path, folder, name, id: this.nextFileId++ })
  }

  /** Writes a file where none is, or a new version of the one that is. The same content is no version. */
  protected put(
    place: ResolvedPath,
    path: string,
    how: 'write' | 'append' | 'edit' | 'copy',
    { content: { sha256, size }, from, splice, attributes, modifiedAt }: Put,
  ): void {
    const { entry, record } = place
    if (entry?.kind === 'file' && entry.sha256 === sha256 && sha256 !== '') return
    const gone = record?.kind === 'gone' && record.fileId !== undefined ? record : undefined
    const id = entry?.id ?? gone?.fileId ?? this.nextFileId++
    const base = entry?.kind === 'file' ? entry.version : (gone?.version ?? 0)
    const folder = this.makeParents(place, path)
    this.push({
      op: 'write',
      how,
      path,
      folder,
      name: place.name,
      id,
      base,
      ...(entry === undefined ? { created: true } : {}),
      size,
      sha256,
      ...optional('from', from),
      ...optional('splice', splice),
      ...optional('modifiedAt', modifiedAt),
      ...(entry === undefined ? optional('attributes', attributes) : {}),
    })
  }

  /** Makes the folders that are missing above a path; gives the one it lies in. */
  protected makeParents(place: ResolvedPath, path: string): number {
    let folder = place.folder
    let end = path.length - place.name.length - 1
    for (let i = place.missing.length - 1; i > 0; i--)
      end -= (place.missing[i] as string).length + 1
    for (const [index, name] of place.missing.entries()) {
      if (index > 0) end += name.length + 1
      const id = this.nextFileId
      this.pushFolder(path.slice(0, end), folder, name)
      folder = id
    }
    return folder
  }

  protected isEmpty(folder: number): boolean {
    let [from, to] = folderRange(folder)
    for (;;) {
      const rows = this.records.range('entry', from, to, 256)
      if (rows.some(([, value]) => (value as Entry).kind !== 'gone')) return false
      const last = rows.at(-1)
      if (rows.length < 256 || last === undefined) return true
      from = `${last[0]}\u0000`
      to = folderRange(folder)[1]
    }
  }
}
