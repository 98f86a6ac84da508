import { type Refusal, refuse, SluiceError } from '../../contract/errors.ts'
import type { Event } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Actor, Command, Moment } from '../../core/command.ts'
import { refusalEvent, type Step } from '../../core/step.ts'
import type { Attachment } from '../../store/ledger.ts'
import { RefusalCounter } from '../audit/refusal-counter.ts'
import type { Followers } from './followers.ts'
import type { Stream } from './stream.ts'
import { StreamFailed } from './stream-failed.ts'

/** What a stream's decisions need of what is no fact, and what follows them at once. */
export interface Around {
  moment(): Moment
  decided(events: readonly Event[], at: number): void
}

/** What a request with this id came to before: a fact, a refusal, or an answer that made no fact. */
export type Known = { revision: number } | { refusal: Refusal } | { value: unknown }

/**
 * Where commands of one stream are decided, and what came of them is remembered (locks §11): facts by
 * the stream, refusals by their records, answers without a fact for as long as the server runs.
 */
export class Decider {
  readonly stream: Stream
  /** Whoever may hold an answer back. */
  followers: Followers | undefined
  private readonly around: Around
  private readonly refusals = new RefusalCounter()
  /** By session and request id. */
  private readonly withoutFact = new Map<string, BoundedMap<string, { value: unknown }>>()
  /** What has to be done and the disk has not taken yet, by what it is about. */
  private readonly owed = new Map<string, Owed>()

  constructor(stream: Stream, around: Around) {
    this.stream = stream
    this.around = around
    stream.onReload(() => {
      for (const one of this.owed.values()) one.isDecided = false
    })
  }

  /** Decides a command now. Its events are not durable yet: see `stream.settled`. */
  run(command: Command, contents: readonly Attachment[] = []): Step {
    // Before anything that could grant them something (locks §29), or take the number of what was lost.
    if (this.owed.size > 0) this.payLeft()
    return this.decide(command, contents)
  }

  private decide(command: Command, contents: readonly Attachment[] = []): Step {
    const moment = this.around.moment()
    const step = this.stream.run(command, moment, contents)
    if (step.events.length > 0) this.around.decided(step.events, moment.at)
    return step
  }

  known(session: string, requestId: string | undefined): Known | undefined {
    if (requestId === undefined) return undefined
    const revision = this.stream.state.answers.get(session)?.get(requestId)
    if (revision !== undefined) return { revision }
    const refusal = this.refusals.refusalOf(session, requestId)
    if (refusal !== undefined) return { refusal }
    return this.withoutFact.get(session)?.get(requestId)
  }

  /** An answer that no fact stands for: nothing had to be done. */
  remember(session: string, requestId: string, value: unknown): void {
    const values =
      this.withoutFact.get(session) ??
      new BoundedMap<string, { value: unknown }>(LIMITS.answersPerSession)
    values.set(requestId, { value })
    this.withoutFact.set(session, values)
  }

  forgetSession(session: string): void {
    this.withoutFact.delete(session)
  }

  /** The fact that answered a request, once it is durable; a refusal is thrown again. */
  async factAt(revision: number): Promise<Event> {
    await this.stream.settled(revision)
    const event = await this.stream.eventAt(revision)
    if (event === undefined) {
      const detail = 'The answer to this request_id is no longer kept. Use a new one.'
      throw SluiceError.of(refuse('compacted', detail))
    }
    if (event.kind !== 'command-refused') return event
    throw SluiceError.of(refuse(event.code as Refusal['code'], event.detail, event.problem))
  }

  /** Records a refusal, or counts one that repeats; nobody waits for the sync of its record. */
  record(
    actor: Actor,
    operation: string,
    paths: string[],
    refusal: Refusal,
    requestId: string | undefined,
  ): void {
    const { at } = this.around.moment()
    if (this.refusals.count(actor, operation, paths, refusal, requestId, at)) return
    this.stream.record(refusalEvent(operation, actor, paths, refusal, requestId), at)
  }

  /** Records the refusals that were only counted before `now`. */
  recordCounted(now: number): void {
    const refusals = this.refusals.isEmpty ? [] : this.refusals.drain(now)
    if (refusals.length > 0) this.run({ kind: 'record-refusals', refusals })
  }

  /**
   * Decides what has to be done; where the disk does not take it, it is tried again before anything
   * else is decided. Rejects when the first try fails.
   */
  async owe(what: string, command: Command): Promise<void> {
    this.payLeft()
    const one = { command, isDecided: false }
    this.owed.set(what, one)
    await this.pay(what, one)
  }

  payLeft(): void {
    for (const [what, one] of this.owed) {
      if (!one.isDecided) this.pay(what, one).catch(unlessFailed)
    }
  }

  private async pay(what: string, one: Owed): Promise<void> {
    const { events } = this.decide(one.command)
    one.isDecided = true
    const last = events.at(-1)
    if (last !== undefined) await this.stream.settled(last.revision)
    if (this.owed.get(what) === one) this.owed.delete(what)
  }
}

interface Owed {
  command: Command
  /** Decided, and on its way to the disk; false again when what was decided is lost. */
  isDecided: boolean
}

/** The stream is being read again; what is owed is tried then. */
export function unlessFailed(error: unknown): void {
  if (!(error instanceof StreamFailed)) throw error
}
