import type { NewEvent } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import type { KeepContents, Moment, OutsideChange, TakeIn } from '../command.ts'
import { type Decision, decided, nothing } from '../decision.ts'
import { holdersInTheWay } from '../lock/conflict.ts'
import { MODE } from '../lock/mode.ts'
import type { Lock } from '../lock/table.ts'
import type { State } from '../state.ts'
import { Draft } from './draft.ts'
import { taken } from './permit.ts'

/** In whose name changes from outside are recorded: nobody can say whose they were (folder §11). */
export const OUTSIDE = { agent: 'outside', session: 'outside' } as const

/**
 * Takes in what others did to a folder (folder §11). It has happened, so neither locks nor rights nor
 * versions can refuse it; a lock that it went past is said to have been (folder §12).
 */
export function decideTakeIn(state: State, command: TakeIn, { at }: Moment): Decision {
  const found = new Found(state, OUTSIDE, at)
  for (const change of command.changes) found.add(change)
  const { changes } = found
  if (changes.length === 0) return nothing
  const committed: NewEvent = {
    kind: 'files-committed',
    ...OUTSIDE,
    changes,
    ...optional('message', command.message),
  }
  return decided([committed, ...bypassed(state, found.touched)])
}

export function decideKeepContents(_: State, { files }: KeepContents): Decision {
  return decided([{ kind: 'contents-kept', ...OUTSIDE, files }])
}

/** A commit that follows what is there, whatever stood in its way. */
class Found extends Draft {
  /** Of files that changed, and folders that went. */
  readonly touched: string[] = []

  add(change: OutsideChange): void {
    switch (change.kind) {
      case 'file':
        return this.addFile(change)
      case 'folder':
        return this.addFolder(change.path)
      case 'moved':
        return this.move(change.path, change.to)
      case 'gone':
        return this.remove(change.path)
    }
  }

  private addFile({ path, content, modifiedAt }: OutsideChange & { kind: 'file' }): void {
    this.makeWay(path)
    if (this.place(path).entry?.kind === 'folder') this.remove(path)
    const before = this.changes.length
    this.put(this.place(path), path, 'write', { content, modifiedAt })
    if (this.changes.length > before) this.touched.push(path)
  }

  private addFolder(path: string): void {
    this.makeWay(path)
    const { entry } = this.place(path)
    if (entry?.kind === 'folder') return
    if (entry?.kind === 'file') this.remove(path)
    const place = this.place(path)
    this.pushFolder(path, this.makeParents(place, path), place.name)
  }

  private move(path: string, to: string): void {
    const { entry, folder, name } = this.place(path)
    if (entry === undefined || name === '' || path === to) return
    this.makeWay(to)
    const target = this.place(to)
    if (target.entry !== undefined) this.remove(to)
    const toFolder = this.makeParents(target, to)
    this.touched.push(path, to)
    this.push({ op: 'move', path, folder, name, to, toFolder, toName: target.name })
  }

  private remove(path: string): void {
    const { entry, folder, name } = this.place(path)
    if (entry === undefined || name === '') return
    this.touched.push(path)
    this.push({ op: 'delete', path, folder, name })
  }

  /** What the records have where a folder is now, or under another spelling of the same name. */
  private makeWay(path: string): void {
    for (;;) {
      const { fileInTheWay, clash } = this.place(path)
      if (fileInTheWay !== undefined) {
        this.remove(fileInTheWay)
      } else if (clash !== undefined) {
        this.move(clash, path.slice(0, clash.length))
      } else {
        return
      }
    }
  }
}

/** One fact a lock, with what of its paths was written past it. */
function bypassed(state: State, paths: readonly string[]): NewEvent[] {
  if (state.locks.locks.size === 0) return []
  const found = new Map<Lock, string[]>()
  for (const path of paths) {
    const wanted = taken(state.locks, path, MODE.W)
    for (const { by } of holdersInTheWay(state.locks, wanted, [], HOLDERS_TOLD)) {
      // A lost lock that is only kept closed has no holder any more.
      if (by.closedUntil !== undefined) continue
      const known = found.get(by)
      if (known === undefined) found.set(by, [path])
      else if (known.length < PATHS_TOLD) known.push(path)
    }
  }
  return [...found].map(([{ id }, told]) => ({
    kind: 'lock-bypassed',
    ...OUTSIDE,
    lock: id,
    paths: told,
  }))
}

const HOLDERS_TOLD = 16
const PATHS_TOLD = 100
