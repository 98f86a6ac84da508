import type { Event, EventOf, FileChange } from '../../src/contract/events.ts'
import { broken } from '../history.ts'
import { clash, coversWrite, folded, type Hold, isMoved, isPart, settled } from './hold.ts'

/**
 * What the stream of facts shows by itself: I1, I2, I4, I5, §29, and that no request was done twice.
 * One pass in the order of revisions over a plain list of holds.
 */
export class StreamCheck {
  readonly holds = new Map<number, Hold>()
  /** Revision by path; absent: no file. */
  readonly files = new Map<string, number>()
  /** All changes of a path: revision, and the version from then on (0: no file). */
  readonly versions = new Map<string, { revision: number; version: number }[]>()
  /** What was held when a commit was decided, for commits under locks. */
  readonly covered = new Map<number, Hold[]>()
  private readonly ended = new Set<string>()
  private readonly requests = new Map<string, number>()
  private revision = 0
  private mode = 'checked'
  private delayMs = 0
  private fence = 0

  accept(event: Event): void {
    if (event.revision !== this.revision + 1) {
      broken('I14', `revision ${event.revision} follows ${this.revision}`)
    }
    this.revision = event.revision
    this.onlyOnce(event)
    switch (event.kind) {
      case 'workspace-set':
        this.mode = event.settings.write_mode
        this.delayMs = event.settings.lock_delay_s * 1000
        return
      case 'lock-acquired':
        return this.acquired(event)
      case 'lock-queued':
        return this.alive(event.session, event.revision)
      case 'lock-raised':
        return this.raised(event)
      case 'lock-lowered':
        return this.changed(event.lock, event.items, undefined)
      case 'lock-handed-over':
        return this.handedOver(event)
      case 'lock-released':
        return this.released(event)
      case 'lock-opened':
        this.holds.delete(event.lock)
        return
      case 'ticket-left':
        if (event.reason === 'session-ended') this.ended.add(event.session)
        return
      case 'files-committed':
        return this.committed(event)
    }
  }

  /** A lost reply must not make a request be done again. */
  private onlyOnce(event: Event): void {
    if (!('requestId' in event) || event.requestId === undefined) return
    // A ticket's grant carries the id of the request that queued it.
    if ('ticket' in event && event.ticket !== undefined) return
    const key = `${event.session} ${event.requestId}`
    const before = this.requests.get(key)
    if (before !== undefined) {
      broken('I10', `${key} was done at revision ${before} and again at ${event.revision}`)
    }
    this.requests.set(key, event.revision)
  }

  private grows(fence: number): void {
    if (fence <= this.fence) broken('I2', `fence ${fence} after ${this.fence}`)
    this.fence = fence
  }

  private alive(session: string, revision: number): void {
    if (this.ended.has(session)) broken('locks §29', `${session} had ended before ${revision}`)
  }

  private fits(hold: Hold): void {
    for (const other of this.holds.values()) {
      if (other.id === hold.id || (other.session === hold.session && !other.isClosed)) continue
      if (clash(hold.items, other.items)) {
        const told = (one: Hold) => `L${one.id} ${one.session} ${JSON.stringify(one.items)}`
        broken('I1', `${told(hold)} was granted beside ${told(other)}`)
      }
    }
  }

  private acquired(event: EventOf<'lock-acquired'>): void {
    const { revision, agent, session, items, delayMs } = event
    this.alive(session, revision)
    this.grows(revision)
    const hold: Hold = {
      ...{ id: revision, fence: revision, agent, session, items: folded(items) },
      ...{ moved: [], delayMs, isClosed: false },
    }
    this.fits(hold)
    this.holds.set(hold.id, hold)
  }

  private changed(id: number, items: Hold['items'], fence: number | undefined): void {
    const hold = this.holds.get(id)
    if (hold === undefined) broken('I4', `L${id} was changed after its end`)
    if (fence !== undefined) this.grows(fence)
    const changed = { ...hold, items: folded(items), moved: [], fence: fence ?? hold.fence }
    this.fits(changed)
    this.holds.set(id, changed)
  }

  private raised(event: EventOf<'lock-raised'>): void {
    this.changed(event.lock, event.items, event.revision)
    const hold = this.holds.get(event.lock) as Hold
    hold.delayMs = event.delayMs
  }

  private handedOver({ revision, lock, to }: EventOf<'lock-handed-over'>): void {
    const hold = this.holds.get(lock)
    if (hold === undefined) broken('I4', `L${lock} was handed over after its end`)
    this.alive(to.session, revision)
    this.grows(revision)
    this.holds.delete(lock)
    const moved = { ...hold, id: revision, fence: revision, agent: to.agent, session: to.session }
    this.fits(moved)
    this.holds.set(revision, moved)
  }

  private released({ lock, reason, session, closedUntil }: EventOf<'lock-released'>): void {
    const hold = this.holds.get(lock)
    if (hold === undefined) broken('I4', `L${lock} ended twice`)
    if (reason === 'session-ended') this.ended.add(session)
    // A session that ends by itself gives back; one that is cut off does not.
    const isLoss = reason === 'expired' || reason === 'revoked' || reason === 'forced'
    const delayMs = hold.delayMs ?? this.delayMs
    if (isLoss && delayMs > 0 && closedUntil === undefined) {
      broken('locks §31', `L${lock} was lost, and its paths are open at once`)
    }
    if (closedUntil === undefined) this.holds.delete(lock)
    else this.holds.set(lock, { ...hold, isClosed: true })
  }

  private committed(event: EventOf<'files-committed'>): void {
    const presented = (event.locks ?? []).map((id) => {
      const hold = this.holds.get(id)
      if (hold === undefined || hold.isClosed) {
        broken('I4', `the commit ${event.revision} is under L${id}, which is not held`)
      }
      return hold
    })
    if (presented.length > 0) this.covered.set(event.revision, presented)
    const owners = new Set([event.session, ...presented.map((hold) => hold.session)])
    for (const change of event.changes) {
      if (change.op === 'make-folder') continue
      this.unhindered(event, change, owners)
      if (this.mode === 'locked') this.isCovered(event, change, owners)
      this.follows(event, change)
      for (const hold of this.holds.values()) {
        hold.moved = [...hold.moved, ...hold.items.filter((item) => isMoved(item, change.path))]
        hold.items = settled(hold.items, change.path)
      }
    }
  }

  /**
   * Nobody writes where somebody else holds what excludes it. An edit writes some bytes, an append those
   * from the end on (files §11): which ranges they meet, the model knows.
   */
  private unhindered(
    event: EventOf<'files-committed'>,
    change: FileChange,
    owners: ReadonlySet<string>,
  ): void {
    const scope = change.op === 'write' ? 'file' : 'subtree'
    for (const hold of this.holds.values()) {
      if (owners.has(hold.session) && !hold.isClosed) continue
      const items = isPart(change)
        ? hold.items.filter(({ range }) => range === undefined)
        : hold.items
      if (clash([{ path: change.path, level: 'write', scope }], items)) {
        broken('I4', `${event.session} wrote ${change.path} at ${event.revision} past L${hold.id}`)
      }
    }
  }

  /** I3 where every write needs a lock: one of the writer's holds covers the path. */
  private isCovered(
    event: EventOf<'files-committed'>,
    change: FileChange,
    owners: ReadonlySet<string>,
  ): void {
    const { path } = change
    for (const hold of this.holds.values()) {
      if (!owners.has(hold.session) || hold.isClosed) continue
      const items = isPart(change) ? [...hold.items, ...hold.moved] : hold.items
      if (coversWrite(items, path)) return
    }
    broken('I3', `${event.session} wrote ${path} at ${event.revision} and no hold covers it`)
  }

  private follows(event: EventOf<'files-committed'>, change: FileChange): void {
    const { revision } = event
    const before = this.files.get(change.path)
    if (change.op === 'write') {
      if (change.created !== true && change.base !== (before ?? 0)) {
        broken('I5', `${change.path} ${revision} is based on ${change.base}, not on ${before}`)
      }
      if (change.created === true && before !== undefined) {
        broken('I5', `${change.path} was there and was made anew at ${revision}`)
      }
      this.set(change.path, revision, revision)
    } else if (change.op === 'delete') {
      if (before === undefined) broken('I5', `${change.path} was deleted and was not there`)
      this.set(change.path, revision, 0)
    }
  }

  private set(path: string, revision: number, version: number): void {
    if (version === 0) this.files.delete(path)
    else this.files.set(path, version)
    const all = this.versions.get(path)
    if (all === undefined) this.versions.set(path, [{ revision, version }])
    else all.push({ revision, version })
  }
}

/** I3: the token that a commit presented was a live hold. */
export function checkCover(stream: StreamCheck, revision: number, id: number): void {
  if (stream.covered.get(revision)?.some((one) => one.id === id) === true) return
  broken('I3', `the commit ${revision} was under L${id}, and its fact does not say so`)
}
