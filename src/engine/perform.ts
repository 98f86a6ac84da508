import { type ErrorCode, fail, refuse, SluiceError } from '../contract/errors.ts'
import { type OperationName, operationOf } from '../contract/operations.ts'
import { missingRole } from '../core/decide.ts'
import { type Answer, ContentBroken } from './api.ts'
import { AnsweredMeanwhile, type Call } from './call.ts'
import type { CommandHandler, Handler, QueryHandler, Reader, Result } from './handler.ts'
import type { Decider, Known } from './stream/decider.ts'
import { BarrierBroken } from './stream/followers.ts'
import { storageRefusal } from './stream/storage-refusal.ts'
import type { Stream } from './stream/stream.ts'
import { StreamFailed } from './stream/stream-failed.ts'

/** A workspace, or the server itself: what is asked of it is decided and answered there. */
export interface Service {
  readonly decider: Decider
  handlerOf<N extends OperationName>(operation: N): Handler<N>
  reader(call: Call, stateOf: Reader['stateOf']): Reader
  /** Refuses or delays before a body is read and before anything is decided. */
  admit(call: Call): Promise<void> | undefined
  /** The last durable revision of a workspace; 0 of the server. */
  readonly revision: number
  /** What a refused call was about, for the audit. */
  pathsOf(call: Call): string[]
}

/**
 * The way of every call:
 *
 *   who ─► heard ─► role ─► admit ─► known answer? ─► handler (decides, or reads) ─► stored ─► answer
 *                                                       └─ refusal ─► audit, under the request's id
 */
export async function perform<N extends OperationName>(
  service: Service,
  call: Call<N>,
  heard: (session: string) => void,
): Promise<Answer<N>> {
  const { decider } = service
  const handler = service.handlerOf(call.operation)
  try {
    if (call.prove !== undefined) call.actor = await call.prove()
    heard(call.actor.session)
    const refusal = missingRole(call.operation, call.actor)
    if (refusal !== undefined) throw SluiceError.of(refusal)
    const delay = service.admit(call)
    if (delay !== undefined) await delay
    const handled =
      'read' in handler
        ? queried(service, handler, call)
        : 'facts' in handler
          ? commanded(decider, handler, call)
          : handler.run(call)
    const result = handled instanceof Promise ? await handled : handled
    if ('facts' in handler && !call.isRepeated) {
      const seen = seenBy(call, decider)
      if (seen > decider.stream.durable) await decider.stream.settled(seen)
      const held = decider.followers?.passed(call.facts)
      if (held !== undefined) await held
      remember(decider, call, result)
    }
    return answerOf(service, call, result)
  } catch (error) {
    if (error instanceof AnsweredMeanwhile && 'facts' in handler) {
      return answeredMeanwhile(service, handler, call, error.known)
    }
    throw await outcomeOf(service, call, error)
  }
}

function answerOf<N extends OperationName>(
  service: Service,
  { operation }: Call<N>,
  result: Result<N>,
): Answer<N> {
  const { revision } = service
  return operationOf(operation).content === 'out'
    ? { ...(result as Answer<N>), revision }
    : { value: result as Answer<N>['value'], revision }
}

/** Looks first, then waits for what was seen: in whatever stream it was. */
async function queried<N extends OperationName>(
  service: Service,
  handler: QueryHandler<N>,
  call: Call<N>,
): Promise<Result<N>> {
  for (;;) {
    let others: Map<Stream, number> | undefined
    const stateOf = (other: Stream) => {
      others ??= new Map()
      others.set(other, other.lastFact)
      return other.state
    }
    const found = await service.decider.stream.shown(() =>
      handler.read(service.reader(call as never, stateOf), call),
    )
    if (others !== undefined && !(await areStored(others))) continue
    return typeof found === 'function' ? found() : found
  }
}

/** Whether what was seen of other streams is stored; false where it was lost, and is read anew. */
async function areStored(seen: ReadonlyMap<Stream, number>): Promise<boolean> {
  let isStored = true
  for (const [stream, revision] of seen) {
    try {
      await stream.settled(revision)
    } catch (error) {
      if (!(error instanceof StreamFailed)) throw error
      isStored = false
    }
    if (stream.fault === undefined) continue
    await stream.recovered()
    isStored = false
  }
  return isStored
}

/** Done once for each request id (locks §11). What is decided in this turn is answered in it. */
function commanded<N extends OperationName>(
  decider: Decider,
  handler: CommandHandler<N>,
  call: Call<N>,
): Result<N> | Promise<Result<N>> {
  const known = decider.known(call.actor.session, call.requestId)
  if (known !== undefined) return again(decider, handler, call, known)
  call.isInOneTurn = true
  const work = 'run' in handler ? handler.run(call) : handler.answer(call, handler.decide(call))
  call.isInOneTurn = false
  return work
}

/** The newest fact that an answer may show; what only looked has seen what is there now. */
function seenBy({ hasDecided, decidedOn }: Call, { stream }: Decider): number {
  return hasDecided ? decidedOn : stream.lastFact
}

/** An answer that no fact stands for. */
function remember(decider: Decider, { requestId, facts, actor }: Call, result: unknown): void {
  if (requestId === undefined || facts.length > 0) return
  decider.remember(actor.session, requestId, result)
}

/** The same request came again while this one was made ready, and was decided first. */
async function answeredMeanwhile<N extends OperationName>(
  service: Service,
  handler: CommandHandler<N>,
  call: Call<N>,
  known: Known,
): Promise<Answer<N>> {
  try {
    return answerOf(service, call, await again(service.decider, handler, call, known))
  } catch (error) {
    throw await outcomeOf(service, call, error)
  }
}

async function again<N extends OperationName>(
  decider: Decider,
  handler: CommandHandler<N>,
  call: Call<N>,
  known: Known,
): Promise<Result<N>> {
  // What comes now was recorded when it came first.
  call.isRepeated = true
  if ('refusal' in known) throw SluiceError.of(known.refusal)
  if ('value' in known) return known.value as Result<N>
  const { revision } = known
  const work = async () => {
    const fact = await decider.factAt(revision)
    if (!handler.facts.includes(fact.kind)) usedBefore()
    await decider.followers?.passed([fact])
    const result = 'run' in handler ? await handler.again(call, fact) : handler.answer(call, fact)
    // Within `during`: who gives up in this very wait gives back what it was granted, too.
    await decider.stream.settled(decider.stream.lastFact)
    return result
  }
  return 'run' in handler && handler.during !== undefined
    ? handler.during(call, revision, work)
    : work()
}

function usedBefore(): never {
  return fail(
    'invalid_request',
    'This request_id answered a different call before. Use a new one.',
    { fields: [{ field: 'request_id', fault: 'used before' }] },
  )
}

/** What a caller is told of what went wrong, once all that it says is stored. */
async function outcomeOf(service: Service, call: Call, error: unknown): Promise<unknown> {
  if (error instanceof BarrierBroken) return heldBack(error)
  if (!(error instanceof SluiceError)) return storageRefusal(error)
  const { decider } = service
  const { stream } = decider
  const seen = stream.lastFact
  try {
    if (isRecorded(call, error)) {
      const { actor, operation, requestId } = call
      decider.record(actor, operation, service.pathsOf(call), error.refusal, requestId)
    }
    await stream.settled(seen)
    return error
  } catch (failed) {
    return storageRefusal(failed)
  }
}

function heldBack({ follower, revision }: BarrierBroken): SluiceError {
  const detail =
    `It is stored, as revision ${revision}, but ${follower} has not caught up in time. Send the same ` +
    'request with the same request_id again: it is not done twice, and answers when that is done too.'
  return SluiceError.of(refuse('overloaded', detail, { revision, retry_after_s: 1 }))
}

/** Every refusal of a command; of those that only look, what a right or a hold forbids. */
function isRecorded({ operation, facts, isRepeated }: Call, error: SluiceError): boolean {
  const { code } = error
  if (facts.length > 0 || isRepeated || PASSING.has(code)) return false
  if (error instanceof ContentBroken) return false
  return operationOf(operation).kind === 'command' || code === 'forbidden' || code === 'locked'
}

/** They say how the server is at the moment; the same request is welcome later. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'overloaded',
  'server_full',
  'read_only_mode',
  'internal',
] as const)
