import type { Event, EventKind } from '../contract/events.ts'
import type { OPERATIONS, OperationName, Output } from '../contract/operations.ts'
import type { Actor, Moment } from '../core/command.ts'
import type { State } from '../core/state.ts'
import type { Content } from './api.ts'
import type { Call } from './call.ts'
import type { Stream } from './stream/stream.ts'

type RowOf<N extends OperationName> = (typeof OPERATIONS)[N]

/** What a handler answers with. */
export type Result<N extends OperationName> =
  RowOf<N> extends { content: 'out' } ? { value: Output<N>; content: Content } : Output<N>

/** How a query sees a workspace, or the server: one caller's view of this moment. */
export interface Reader {
  state: State
  actor: Actor
  moment: Moment
  /** The state of another stream that the answer shows something of. */
  stateOf(stream: Stream): State
}

export type Handler<N extends OperationName> =
  RowOf<N> extends { kind: 'command' }
    ? CommandHandler<N>
    : RowOf<N> extends { kind: 'query' }
      ? QueryHandler<N>
      : LeaseHandler<N>

/**
 * Reads what is there, all at once; the answer leaves when what it shows is stored. What takes longer
 * (bytes of a content, facts of the ledger) is handed back as a function, and read then.
 */
export interface QueryHandler<N extends OperationName> {
  read(reader: Reader, call: Call<N>): Result<N> | (() => Promise<Result<N>>)
}

export type CommandHandler<N extends OperationName> = SimpleHandler<N> | LongHandler<N>

/** A command with one decision, answered from its first fact; undefined: nothing had to be done. */
export interface SimpleHandler<N extends OperationName> extends Answered {
  decide(call: Call<N>): Event | undefined
  /** In the turn of the decision, so that it shows nothing newer; or of a request sent again. */
  answer(call: Call<N>, fact: Event | undefined): Result<N>
}

/** A command that takes more than one decision, or time. */
export interface LongHandler<N extends OperationName> extends Answered {
  run(call: Call<N>): Promise<Result<N>>
  /** The answer of a request that is sent again, from its first fact, which is of one of the kinds. */
  again(call: Call<N>, fact: Event): Promise<Result<N>>
  /** Goes round `again`, from before the fact is read. */
  during?<T>(call: Call<N>, revision: number, work: () => Promise<T>): Promise<T>
}

interface Answered {
  /** Kinds of facts that answer it. A request id that another kind answered was used before. */
  facts: readonly EventKind[]
}

/** Looks after what is no fact; what it shows of facts it waits for itself. */
export interface LeaseHandler<N extends OperationName> {
  run(call: Call<N>): Promise<Result<N>>
}

/** Every operation of these has its handler; one that is forgotten does not compile. */
export type Handlers<Of extends RowOf<OperationName>['of']> = {
  readonly [N in OperationName as RowOf<N>['of'] extends Of ? N : never]: Handler<N>
}

/** Of a simple handler: that it answers from facts of the kinds it names. */
export function simple<N extends OperationName, K extends EventKind>(handler: {
  facts: readonly K[]
  decide(call: Call<N>): Event | undefined
  answer(call: Call<N>, fact: Extract<Event, { kind: K }> | undefined): Result<N>
}): SimpleHandler<N> {
  return handler as SimpleHandler<N>
}
