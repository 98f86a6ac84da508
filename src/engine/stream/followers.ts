import { type Refusal, SluiceError } from '../../contract/errors.ts'
import type { Event, EventKind } from '../../contract/events.ts'
import type { Clock } from '../clock.ts'
import type { Stream } from './stream.ts'
import { follow } from './tail.ts'

/**
 * A fold of the stream that lives outside of the state: a folder kept in step, an index, counters. It
 * is given every durable fact once answers have left, at its own pace.
 *
 * Where it stands is kept with the tables. After a crash it may be given again what it had already: its
 * part of a fact has to be the same done twice.
 */
export interface Follower {
  /** Of its cursor: stays the same for as long as it is to go on where it stood. */
  name: string
  /** Does its part of these facts; where it fails it is given them again. */
  take(events: readonly Event[]): Promise<void>
  barrier?: Barrier | undefined
  /**
   * Where what it does has to be made durable: returns when all that was taken by now is. Its cursor
   * is kept only as far as that.
   */
  sync?(): Promise<void>
  /** What it could not do its part of, and has taken back: the answer to whoever asked for it. */
  refusalOf?(revision: number): Refusal | undefined
}

/** Answers that made facts of these kinds leave only when the follower has taken them. */
export interface Barrier {
  kinds: readonly EventKind[]
  /** An answer waits so long at most, and then says that it did. */
  withinMs: number
}

/** An answer was held back for a follower longer than its bound. What it tells of is stored. */
export class BarrierBroken extends Error {
  override name = 'BarrierBroken'
  readonly follower: string
  readonly revision: number
  constructor(follower: string, revision: number) {
    super(`${follower} did not take revision ${revision} in time`)
    this.follower = follower
    this.revision = revision
  }
}

/** The followers of one stream. */
export class Followers {
  private readonly stream: Stream
  private readonly clock: Clock
  private readonly following: Following[] = []
  private readonly stop = new AbortController()
  private readonly onError: (follower: string, error: unknown) => void

  constructor(
    stream: Stream,
    clock: Clock,
    followers: readonly Follower[],
    onError: (follower: string, error: unknown) => void,
  ) {
    this.stream = stream
    this.clock = clock
    this.onError = onError
    for (const follower of followers) {
      const cursor = (stream.overlay.get('state', cursorKey(follower)) as number | undefined) ?? 0
      const one = {
        follower,
        cursor,
        kept: cursor,
        isSyncing: false,
        waiters: new Set<() => void>(),
      }
      this.following.push(one)
      void this.run(one)
    }
  }

  /** The last revision that every follower has taken; facts after it are not to be forgotten. */
  get oldestCursor(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.following.map(({ kept }) => kept))
  }

  /** Resolves when every follower has taken what is stored by now. */
  async caughtUp(): Promise<void> {
    const { durable } = this.stream
    for (const one of this.following) {
      if (one.cursor >= durable) continue
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (one.cursor < durable) return
          one.waiters.delete(look)
          resolve()
        }
        one.waiters.add(look)
      })
    }
  }

  private async run(one: Following): Promise<void> {
    const { stream, clock } = this
    const { signal } = this.stop
    while (!signal.aborted) {
      try {
        for await (const events of follow(stream, one.cursor + 1, signal)) {
          // Answers leave first, unless they wait for this.
          if (one.follower.barrier === undefined) {
            await new Promise<void>((resolve) => clock.soon(resolve))
          }
          if (signal.aborted) return
          await one.follower.take(events)
          this.moved(one, (events.at(-1) as Event).revision)
        }
      } catch (error) {
        this.onError(one.follower.name, error)
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve))
      }
    }
  }

  private moved(one: Following, cursor: number): void {
    one.cursor = cursor
    if (one.follower.sync === undefined) this.keep(one, cursor)
    else if (!one.isSyncing) this.syncLater(one)
    for (const wake of [...one.waiters]) wake()
  }

  private keep(one: Following, cursor: number): void {
    one.kept = cursor
    this.stream.overlay.put('state', cursorKey(one.follower), cursor)
  }

  private syncLater(one: Following): void {
    one.isSyncing = true
    this.clock.after(SYNC_MS, () => {
      one.isSyncing = false
      if (!this.stop.signal.aborted) void this.sync(one)
    })
  }

  private async sync(one: Following): Promise<void> {
    const { cursor } = one
    try {
      await one.follower.sync?.()
      if (!this.stop.signal.aborted) this.keep(one, cursor)
    } catch (error) {
      this.onError(one.follower.name, error)
    }
    if (one.kept < one.cursor && !one.isSyncing && !this.stop.signal.aborted) this.syncLater(one)
  }

  /** What was taken is made durable and noted, before the stream is let go of. */
  async finish(): Promise<void> {
    this.stop.abort()
    for (const one of this.following) {
      if (one.follower.sync === undefined || one.kept === one.cursor) continue
      try {
        await one.follower.sync()
        this.keep(one, one.cursor)
      } catch (error) {
        this.onError(one.follower.name, error)
      }
    }
  }

  /**
   * Resolves when every follower with a barrier on facts of such a kind has taken what is there by
   * now; undefined where there is none. Rejects with `BarrierBroken`.
   */
  passed(events: readonly Event[]): Promise<unknown> | undefined {
    const waits: Promise<void>[] = []
    for (const one of this.following) {
      const { barrier } = one.follower
      const last = events.findLast(({ kind }) => barrier?.kinds.includes(kind) === true)
      if (barrier === undefined || last === undefined) continue
      const isTaken = last.revision <= one.cursor
      if (isTaken && one.follower.refusalOf?.(last.revision) === undefined) continue
      waits.push(this.taken(one, last.revision, barrier.withinMs))
    }
    return waits.length === 0 ? undefined : Promise.all(waits)
  }

  private async taken(one: Following, revision: number, withinMs: number): Promise<void> {
    if (one.cursor < revision) await this.reached(one, revision, withinMs)
    const refusal = one.follower.refusalOf?.(revision)
    if (refusal !== undefined) throw SluiceError.of(refusal)
  }

  private reached(one: Following, revision: number, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        cancel()
        one.waiters.delete(look)
      }
      const look = (): void => {
        if (one.cursor < revision) return
        leave()
        resolve()
      }
      const cancel = this.clock.after(withinMs, () => {
        leave()
        reject(new BarrierBroken(one.follower.name, revision))
      })
      one.waiters.add(look)
    })
  }
}

interface Following {
  follower: Follower
  /** Taken up to here. */
  cursor: number
  /** Noted up to here: where it goes on after a crash. */
  kept: number
  isSyncing: boolean
  waiters: Set<() => void>
}

function cursorKey({ name }: Follower): string {
  return `cursor ${name}`
}

const RETRY_MS = 1000
const SYNC_MS = 2000
