import { SluiceError } from '../contract/errors.ts'
import type { Event } from '../contract/events.ts'
import type { OperationName, Parsed } from '../contract/operations.ts'
import type { Actor, Command } from '../core/command.ts'
import type { Step } from '../core/step.ts'
import type { Attachment } from '../store/ledger.ts'
import type { CancelSignal, Request } from './api.ts'
import type { Decider, Known } from './stream/decider.ts'

/** A command of somebody's; who asks, and under which request id, the call adds. */
export type Asked = Command extends infer C
  ? C extends { actor: Actor }
    ? Omit<C, 'actor' | 'requestId'>
    : never
  : never

/** One call on its way: what was asked, who asks, and what came of it so far. */
export class Call<N extends OperationName = OperationName> {
  readonly operation: N
  /** As it was asked; in a folder, with the paths that files really have there. */
  input: Parsed<N>
  readonly content: Request<N>['content']
  readonly contentBytes: number | undefined
  readonly signal: CancelSignal | undefined
  readonly requestId: string | undefined
  /** Who asks, with the role and rights of now. */
  actor: Actor
  /** What was decided and stands, so that what is refused later is no answer to the request. */
  facts: readonly Event[] = none
  /** Its answer was recorded when it was first sent. */
  isRepeated = false
  hasDecided = false
  /** Nothing else has run since the call was looked at: nobody can have changed anything. */
  isInOneTurn = false
  /** The newest fact that a decision of this call was made on, or made. */
  decidedOn = 0
  /** Who it really is, where nothing but what it names says so. */
  prove: (() => Promise<Actor>) | undefined
  private readonly decider: Decider
  private readonly actorNow: (actor: Actor) => Actor

  constructor(
    { operation, input, content, contentBytes, signal }: Request<N>,
    actor: Actor,
    decider: Decider,
    actorNow: (actor: Actor) => Actor,
  ) {
    this.operation = operation
    this.input = input
    this.content = content
    this.contentBytes = contentBytes
    this.signal = signal
    this.requestId = (input as { request_id?: string }).request_id
    this.actor = actor
    this.decider = decider
    this.actorNow = actorNow
  }

  /**
   * Decides now, as whoever the caller is by now: what was made ready meanwhile may have taken long.
   * Throws the refusal.
   */
  decide(command: Asked, contents?: readonly Attachment[]): Step {
    const step = this.attempt(command, contents)
    if (step.refusal !== undefined) throw SluiceError.of(step.refusal)
    return step
  }

  /** The same, with the refusal as a value. */
  attempt(command: Asked, contents?: readonly Attachment[]): Step {
    if (!this.isInOneTurn) this.lookAgain()
    const signed = command as Command & { actor: Actor; requestId: string | undefined }
    signed.actor = this.actor
    signed.requestId = this.requestId
    const step = this.decider.run(signed, contents)
    if (step.events.length > 0) this.facts = step.events
    this.hasDecided = true
    this.decidedOn = this.decider.stream.lastFact
    return step
  }

  private lookAgain(): void {
    this.actor = this.actorNow(this.actor)
    const known =
      this.facts.length > 0 ? undefined : this.decider.known(this.actor.session, this.requestId)
    if (known !== undefined) throw new AnsweredMeanwhile(known)
  }

  /** Resolves when what was decided, and what it was decided on, cannot be lost any more. */
  settled(): Promise<void> {
    return this.decider.stream.settled(this.decidedOn)
  }
}

/** While a request was made ready, the same one came again and was decided. */
export class AnsweredMeanwhile extends Error {
  readonly known: Known
  constructor(known: Known) {
    super('answered meanwhile')
    this.known = known
  }
}

const none: readonly Event[] = []
