import { type ErrorCode, fail, refuse, SluiceError } from '../contract/errors.ts'
import { type OperationName, operationOf } from '../contract/operations.ts'
import { missingRole } from '../core/decide.ts'
import type { Answer } from './api.ts'
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
  try {
    if (call.prove !== undefined) call.actor = await call.prove()
    heard(call.actor.session)
    const refusal = missingRole(call.operation, call.actor)
    if (refusal !== undefined) throw SluiceError.of(refusal)
    const delay = service.admit(call)
    if (delay !== undefined) await delay
    const handler = service.handlerOf(call.operation)
    const result =
      'read' in handler
        ? await queried(service, handler, call)
        : 'facts' in handler
          ? await commanded(decider, handler, call)
          : await handler.run(call)
    const { content } = operationOf(call.operation)
    const answer = content === 'out' ? (result as object) : { value: result }
    return { ...answer, revision: service.revision } as Answer<N>
  } catch (error) {
    throw await outcomeOf(service, call, error)
  }
}

/** Looks first, then waits for what was seen: in whatever stream it was. */
async function queried<N extends OperationName>(
  service: Service,
  handler: QueryHandler<N>,
  call: Call<N>,
): Promise<Result<N>> {
  for (;;) {
    const others = new Map<Stream, number>()
    const stateOf = (other: Stream) => {
      others.set(other, other.lastFact)
      return other.state
    }
    const found = await service.decider.stream.shown(() =>
      handler.read(service.reader(call as never, stateOf), call),
    )
    if (await areStored(others)) return typeof found === 'function' ? found() : found
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

/** Done once for each request id (locks §11). */
async function commanded<N extends OperationName>(
  decider: Decider,
  handler: CommandHandler<N>,
  call: Call<N>,
): Promise<Result<N>> {
  const known = decider.known(call.actor.session, call.requestId)
  if (known !== undefined) return again(decider, handler, call, known)
  try {
    call.isInOneTurn = true
    const work = handler.run(call)
    call.isInOneTurn = false
    const result = await work
    // What only looked has seen what is there now.
    const seen = call.hasDecided ? call.decidedOn : decider.stream.lastFact
    if (seen > decider.stream.durable) await decider.stream.settled(seen)
    const held = decider.followers?.passed(call.facts)
    if (held !== undefined) await held
    if (call.requestId !== undefined && call.facts.length === 0) {
      decider.remember(call.actor.session, call.requestId, result)
    }
    return result
  } catch (error) {
    if (!(error instanceof AnsweredMeanwhile)) throw error
    return again(decider, handler, call, error.known)
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
    const result = await handler.again(call, fact)
    // Within `during`: who gives up in this very wait gives back what it was granted, too.
    await decider.stream.settled(decider.stream.lastFact)
    return result
  }
  return handler.during?.(call, revision, work) ?? work()
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
    if (isRecorded(call, error.code)) {
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
function isRecorded({ operation, facts, isRepeated }: Call, code: ErrorCode): boolean {
  if (facts.length > 0 || isRepeated || PASSING.has(code)) return false
  return operationOf(operation).kind === 'command' || code === 'forbidden' || code === 'locked'
}

/** They say how the server is at the moment; the same request is welcome later. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'overloaded',
  'server_full',
  'read_only_mode',
  'internal',
] as const)
