import type { Notice } from '../contract/door.ts'
import type { Output } from '../contract/operations.ts'
import type { Granted } from '../contract/ticket-wait.ts'

export type Level = 'read' | 'write' | 'exclusive'

/** What of one path is wanted. */
export interface LockTarget {
  path: string
  level?: Level
  /** Default: `subtree` where the path is a folder. */
  scope?: 'file' | 'subtree'
  /** Bytes `[start, end)` of the file; without `end`: the rest of it and whatever is appended. */
  range?: { start: number; end?: number }
  /** Lines of that version, the first is 1; without `to`: the rest of the file. */
  lines?: { from: number; to?: number; version: number }
  /** `metadata`: labels and the like have a lock of their own. */
  key?: 'content' | 'metadata'
  /** Refuse unless this is the file's version. */
  ifVersion?: number
}

export interface LockOptions extends Omit<LockTarget, 'path'> {
  /** So many of the targets will do, the first that are free in the order given. */
  any?: number
  /** A read lock that also keeps writers out. */
  stable?: boolean
  /** Seconds; default 300. */
  ttl?: number
  /** Seconds to wait in all, across tickets; default 0: answer at once. */
  wait?: number
  /** 0 to 9; counts where the workspace has `order: priority`. */
  priority?: number
  /** What for; others see it. */
  intent?: string
  renew?: 'activity' | 'explicit'
  /** Seconds the paths stay closed if the lock is lost instead of released; at most 60. */
  lockDelay?: number
  /** Stops waiting and gives up the ticket. */
  signal?: AbortSignal
  onLost?: () => void
  /** It is recalled: finish and release it, or make it weaker, before `notice.until`. */
  onRecall?: (notice: Notice) => void
}

export interface ChangeOptions {
  /** Seconds to wait for a stronger level; default 0. */
  wait?: number
  /** With `read`: keep writers out too. */
  stable?: boolean
  ifVersion?: number
  /** Stops waiting; the lock stays as it was. */
  signal?: AbortSignal
}

/** What a lock asks of the workspace it is in. */
export interface LockKeeper {
  release(id: string): Promise<void>
  state(id: string): 'held' | 'suspect' | 'lost'
  change(id: string, to: Level, options: ChangeOptions): Promise<Granted>
  extend(id: string): Promise<Output<'extend_recall'>>
  handOver(id: string, to: string): Promise<Output<'handover_lock'>>
}

/** A held lock. `signal` aborts when it is lost: stop what depends on it. */
export class Lock {
  readonly id: string
  readonly token: string
  /** True when the session had this very lock already. */
  readonly alreadyHeld: boolean
  private granted: Granted
  private deadline: string | undefined
  /** Made when somebody looks at it: most locks are given back unseen. */
  private aborter: AbortController | undefined
  private lost: Error | undefined
  private readonly keeper: LockKeeper

  constructor(granted: Granted, keeper: LockKeeper) {
    this.id = granted.lock.id
    this.token = granted.token
    this.alreadyHeld = granted.already_held === true
    this.granted = granted
    this.deadline = granted.lock.recall?.deadline
    this.keeper = keeper
  }

  /** Only grows in a workspace; give it to systems outside that can compare it. */
  get fence(): number {
    return this.granted.lock.fence
  }

  get level(): Level {
    return this.granted.lock.level
  }

  /** What is locked, as it was at the last grant or change. */
  get items(): Granted['lock']['items'] {
    return this.granted.lock.items
  }

  /** Version of each path at the last grant or change; 0: none yet. */
  get versions(): Record<string, number> {
    return this.granted.versions
  }

  /** It is recalled: it is taken away then unless it is given back or made weaker before. */
  get recalledUntil(): Date | undefined {
    return this.deadline === undefined ? undefined : new Date(this.deadline)
  }

  get signal(): AbortSignal {
    this.aborter ??= new AbortController()
    if (this.lost !== undefined) this.aborter.abort(this.lost)
    return this.aborter.signal
  }

  /** `suspect`: a renewal is overdue; finish what is under way, start nothing new. */
  get state(): 'held' | 'suspect' | 'lost' {
    return this.keeper.state(this.id)
  }

  release(): Promise<void> {
    return this.keeper.release(this.id)
  }

  /** Weaker at once, stronger within `wait`; rejects with `lock_conflict`, `upgrade_conflict` or
   * `deadlock` and is then as before. */
  async change(to: Level, options: ChangeOptions = {}): Promise<void> {
    this.granted = await this.keeper.change(this.id, to, options)
    this.deadline = this.granted.lock.recall?.deadline
  }

  /** Of a recalled lock: the same time once more. Gives the new deadline. */
  async extend(): Promise<Date | undefined> {
    const { lock } = await this.keeper.extend(this.id)
    this.deadline = lock.recall?.deadline
    return this.recalledUntil
  }

  /**
   * Gives it to another open session, `agent` or `agent:name`, without a gap: under a new id, token
   * and fence. That session gets it into its hands by locking the same path. This object is done
   * then; `onLost` is not called.
   */
  async handOver(to: string): Promise<void> {
    await this.keeper.handOver(this.id, to)
  }

  /** For `await using`: gives the lock back at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.keeper.release(this.id)
  }

  /** Called by the workspace with what the server said of it. */
  markRecalled(deadline: string | undefined): void {
    this.deadline = deadline
  }

  /** Called by the workspace when the lock is gone without a release. */
  markLost(): void {
    this.lost = new Error(`The lock ${this.id} was lost.`)
    this.aborter?.abort(this.lost)
  }
}
