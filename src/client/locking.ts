import type { Notice } from '../contract/door.ts'
import { problemOf, refuse, SluiceError } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import { newGrantOf } from '../contract/new-grant.ts'
import type { Input, OperationName, Output } from '../contract/operations.ts'
import { given } from '../contract/optional.ts'
import {
  type GrantAnswer,
  type Granted,
  type Queued,
  untilGranted,
} from '../contract/ticket-wait.ts'
import { TransientMap } from '../contract/transient.ts'
import { LeaseKeeper } from './lease.ts'
import {
  type ChangeOptions,
  type Level,
  Lock,
  type LockKeeper,
  type LockOptions,
  type LockTarget,
} from './lock.ts'
import type { Runtime } from './runtime.ts'

export type Call = <N extends OperationName>(
  name: N,
  input: Omit<Input<N>, 'workspace'>,
  signal?: AbortSignal,
) => Promise<Output<N>>

/** Getting locks of one workspace, waiting for them, keeping them alive. */
export class Locking implements LockKeeper {
  readonly leases: LeaseKeeper
  private readonly call: Call
  private readonly runtime: Runtime
  private readonly held = new TransientMap<string, Held>()
  /** Recalls of locks whose grant is still on its way to whoever asked for them. */
  private readonly early = new Map<string, Notice>()
  /** The lock that a question put to this session is about. */
  private readonly asked = new Map<string, string>()
  /** Locks that were lost, or are being given back, whatever an answer on its way says. */
  private readonly gone = new Map<string, true>()

  constructor(call: Call, runtime: Runtime) {
    this.call = call
    this.runtime = runtime
    this.leases = new LeaseKeeper(
      (id) => this.call('renew_lock', { id }),
      (error) =>
        error instanceof SluiceError &&
        (error.code === 'lock_lost' || error.code === 'unauthenticated'),
      (id) => this.giveUp(id),
      runtime,
    )
  }

  /**
   * What was given up here the server may hold still, and renew for ever. Without a connection this is
   * sent first when there is one again; a server that could not store it is told once more.
   */
  private giveUp(id: string): void {
    remember(this.gone, id, true)
    this.call('release_lock', { id }).catch((error: unknown) => {
      if (!(error instanceof SluiceError) || error.problem.retry !== 'after') return
      this.runtime.after(GIVE_UP_AGAIN_MS, () => this.giveUp(id), false)
    })
  }

  async lock(target: string | LockTarget[], options: LockOptions): Promise<Lock> {
    const { wait = 0, signal, onLost, onRecall } = options
    const input = lockInput(target, options)
    const ask = (stepS: number) => this.call('acquire_lock', { ...input, wait: stepS }, signal)
    let grant = await this.granted(wait, signal, ask)
    // It was lost or given up while that was on its way: what gives it back goes before this request.
    if (this.gone.has(grant.answer.lock.id)) grant = await this.granted(wait, signal, ask)
    const { answer, sentAt } = isFresh(grant, this.runtime.now())
      ? grant
      : await this.renewed(grant)
    const { id, ttl, renew } = answer.lock
    if (this.gone.has(id)) throw lostMeanwhile(id)
    if (signal?.aborted === true) {
      // It came in the instant of giving up.
      if (newGrantOf(answer) !== undefined) this.giveUp(id)
      signal.throwIfAborted()
    }
    const lock = new Lock(answer, this)
    this.held.set(id, { lock, onRecall, recalledUntil: undefined })
    this.leases.keep(id, ttl * 1000, renew === 'activity', sentAt, () => {
      this.held.delete(id)
      lock.markLost()
      onLost?.()
    })
    const recalled = this.early.get(id)
    if (recalled !== undefined) this.noticed(recalled)
    return lock
  }

  /** The same grant, with a time that this client knows. */
  private async renewed({ answer }: Grant): Promise<Grant> {
    const sentAt = this.runtime.now()
    await this.call('renew_lock', { id: answer.lock.id })
    return { answer, sentAt }
  }

  private async granted(
    waitS: number,
    signal: AbortSignal | undefined,
    ask: (stepS: number) => Promise<GrantAnswer>,
  ): Promise<Grant> {
    const now = (): number => this.runtime.now()
    let sentAt = now()
    const answer = await untilGranted({
      waitS,
      now,
      signal,
      told: (queued) => `${holdersOf(queued)}.`,
      ask,
      goOn: async (ticket, stepS) => {
        sentAt = now()
        const next = await this.call('wait_for_lock', { ticket, wait: stepS }, signal)
        // It may have been granted before this was asked, and asking does not renew such a lock.
        if (next.status === 'granted' && next.lock.renew === 'explicit') {
          sentAt = Number.NEGATIVE_INFINITY
        }
        return next
      },
      leave: (ticket) => this.call('leave_queue', { ticket }),
    })
    return { answer, sentAt }
  }

  async release(id: string): Promise<void> {
    this.drop(id)
    await this.call('release_lock', { id })
  }

  state(id: string): 'held' | 'suspect' | 'lost' {
    return this.leases.state(id)
  }

  async change(id: string, to: Level, options: ChangeOptions): Promise<Granted> {
    const { wait = 0, stable, ifVersion, signal } = options
    const { answer } = await this.granted(wait, signal, (step) =>
      this.call(
        'change_lock',
        {
          id,
          to,
          wait: step,
          queue: wait > 0,
          ...given({ stable, if_version: ifVersion }),
        },
        signal,
      ),
    )
    if (this.gone.has(id)) throw lostMeanwhile(id)
    if (answer.lock.id === id) return answer
    // The hold was lost in the wait, and what was granted is another: whatever was done under the
    // first may have been overtaken, so this is no change of it.
    this.giveUp(answer.lock.id)
    this.leases.lose(id)
    const detail = `The lock ${id} was lost while it waited to become ${to}. Lock and read again.`
    throw new SluiceError(problemOf(refuse('lock_lost', detail, { lock: id })))
  }

  extend(id: string): Promise<Output<'extend_recall'>> {
    return this.call('extend_recall', { id })
  }

  async handOver(id: string, to: string): Promise<Output<'handover_lock'>> {
    const answer = await this.leases.give(id, () => this.call('handover_lock', { id, to }))
    this.held.delete(id)
    return answer
  }

  /** Yielding gives the lock back. */
  async answerAsk(input: Omit<Input<'answer_ask'>, 'workspace'>): Promise<Output<'answer_ask'>> {
    const send = () => this.call('answer_ask', input)
    const lock = this.asked.get(input.ask)
    if (input.answer !== 'yield' || lock === undefined) return send()
    const answer = await this.leases.give(lock, send)
    this.held.delete(lock)
    return answer
  }

  noticed(notice: Notice): void {
    const { kind, lock } = notice
    if (lock !== undefined) this.notices[kind]?.(lock, notice)
  }

  /** What a notice about a lock means here; undefined: it is for the user of the SDK alone. */
  private readonly notices: Record<
    Notice['kind'],
    ((id: string, notice: Notice) => void) | undefined
  > = {
    waiting: undefined,
    recalled: (id, notice) => this.recalled(id, notice),
    recall_ended: (id) => {
      this.early.delete(id)
      this.held.get(id)?.lock.markRecalled(undefined)
    },
    asked: (id, { ask }) => {
      if (ask !== undefined) remember(this.asked, ask, id)
    },
    answered: undefined,
    lost: (id) => {
      remember(this.gone, id, true)
      this.leases.lose(id)
    },
    handed_over: undefined,
    granted: undefined,
    changed: undefined,
    overlapped: undefined,
  }

  private recalled(id: string, notice: Notice): void {
    const held = this.held.get(id)
    if (held === undefined) return remember(this.early, id, notice)
    this.early.delete(id)
    // Told again after a lost connection or a restart, it is the same recall.
    const isKnown = held.recalledUntil === notice.until
    held.recalledUntil = notice.until
    held.lock.markRecalled(notice.until)
    if (!isKnown) held.onRecall?.(notice)
  }

  private drop(id: string): void {
    this.held.delete(id)
    this.leases.drop(id)
  }
}

function lostMeanwhile(id: string): SluiceError {
  const detail = `The lock ${id} was lost while its answer was on its way.`
  return new SluiceError(
    problemOf(refuse('lock_lost', `${detail} Lock and read again.`, { lock: id })),
  )
}

interface Held {
  lock: Lock
  onRecall: LockOptions['onRecall']
  /** What `onRecall` was called with. */
  recalledUntil: string | undefined
}

/**
 * Whether this client knows how much of a grant's time has gone by. Much may have, in the wait, or since
 * it was taken, where asking again renews nothing.
 */
function isFresh({ answer, sentAt }: Grant, now: number): boolean {
  const { ttl, renew } = answer.lock
  if (answer.already_held === true && renew === 'explicit') return false
  return now - sentAt <= Math.min(ttl * 1000, LIMITS.disconnectGraceMs) / 3
}

interface Grant {
  answer: Granted
  /** When the call that surely renewed it was sent. */
  sentAt: number
}

const GIVE_UP_AGAIN_MS = 1000

/** Of what may never be asked for again, the newest. */
const REMEMBERED = 100

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest)
}

function lockInput(
  target: string | LockTarget[],
  options: LockOptions,
): Omit<Input<'acquire_lock'>, 'workspace'> {
  const { wait = 0, any, stable, ttl, priority, intent, renew, lockDelay } = options
  const what =
    typeof target === 'string' ? itemOf({ ...options, path: target }) : usualOf(target, options)
  const terms = { any, stable, ttl, priority, intent, renew, lock_delay: lockDelay }
  return { ...what, ...given(terms), queue: wait > 0 }
}

/** What of the options holds for every item that says nothing else. */
function usualOf(targets: readonly LockTarget[], { level, scope }: LockOptions) {
  return given({ items: targets.map(itemOf), level, scope })
}

function itemOf({ path, level, scope, range, lines, key, ifVersion }: LockTarget) {
  return given({ path, level, scope, range, lines, key, if_version: ifVersion })
}

function holdersOf(answer: Queued): string {
  const names = answer.holders.map(({ agent, level, path }) => `${agent} holds ${path} (${level})`)
  return names.join(', ') || 'others are ahead in the queue'
}
