import type { Output } from '../contract/operations.ts'

export interface LockOptions {
  level?: 'read' | 'write' | 'exclusive'
  scope?: 'file' | 'subtree'
  /** A read lock that also keeps writers out. */
  stable?: boolean
  /** Seconds; default 300. */
  ttl?: number
  /** Seconds to wait in all, across tickets; default 0: answer at once. */
  wait?: number
  priority?: number
  intent?: string
  renew?: 'activity' | 'explicit'
  ifVersion?: number
  /** Stops waiting and gives up the ticket. */
  signal?: AbortSignal
  onLost?: () => void
}

type Granted = Extract<Output<'acquire_lock'>, { status: 'granted' }>

/** A held lock. `signal` aborts when it is lost: stop what depends on it. */
export class Lock {
  readonly id: string
  /** Only grows in a workspace; give it to systems outside that can compare it. */
  readonly fence: number
  readonly token: string
  readonly level: 'read' | 'write' | 'exclusive'
  /** Version of each path at the grant; 0: none yet. */
  readonly versions: Record<string, number>
  /** True when the session had this very lock already. */
  readonly alreadyHeld: boolean
  private readonly aborter = new AbortController()
  private readonly giveBack: () => Promise<void>
  private readonly currentState: () => 'held' | 'suspect' | 'lost'

  constructor(
    granted: Granted,
    giveBack: () => Promise<void>,
    currentState: () => 'held' | 'suspect' | 'lost',
  ) {
    this.id = granted.lock.id
    this.fence = granted.lock.fence
    this.token = granted.token
    this.level = granted.lock.level
    this.versions = granted.versions
    this.alreadyHeld = granted.already_held === true
    this.giveBack = giveBack
    this.currentState = currentState
  }

  get signal(): AbortSignal {
    return this.aborter.signal
  }

  /** `suspect`: a renewal is overdue; finish what is under way, start nothing new. */
  get state(): 'held' | 'suspect' | 'lost' {
    return this.currentState()
  }

  release(): Promise<void> {
    return this.giveBack()
  }

  /** For `await using`: gives the lock back at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.giveBack()
  }

  /** Called by the workspace when the lock is gone without a release. */
  markLost(): void {
    this.aborter.abort(new Error(`The lock ${this.id} was lost.`))
  }
}
