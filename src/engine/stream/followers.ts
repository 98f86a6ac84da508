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
      const one = { follower, cursor, waiters: new Set<() => void>() }
      this.following.push(one)
      void this.run(one)
    }
  }

  /** The last revision that every follower has taken; facts after it are not to be forgotten. */
  get oldestCursor(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.following.map(({ cursor }) => cursor))
  }

  private async run(one: Following): Promise<void> {
    const { stream, clock } = this
    const { signal } = this.stop
    while (!signal.aborted) {
      try {
        for await (const events of follow(stream, one.cursor + 1, signal)) {
          // Answers leave first.
          await new Promise<void>((resolve) => clock.soon(resolve))
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
    this.stream.overlay.put('state', cursorKey(one.follower), cursor)
    for (const wake of [...one.waiters]) wake()
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
      if (barrier === undefined || last === undefined || last.revision <= one.cursor) continue
      waits.push(this.reached(one, last.revision, barrier.withinMs))
    }
    return waits.length === 0 ? undefined : Promise.all(waits)
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

  close(): void {
    this.stop.abort()
  }
}

interface Following {
  follower: Follower
  cursor: number
  waiters: Set<() => void>
}

function cursorKey({ name }: Follower): string {
  return `cursor ${name}`
}

const RETRY_MS = 1000
