import type { FastifyReply, FastifyRequest } from 'fastify'
import { problemOf, SluiceError } from '../../contract/errors.ts'
import { type OperationName, operationOf } from '../../contract/operations.ts'
import { parseInput } from '../../contract/parse.ts'
import { type Answer, CONNECTION_LOST, type EngineApi, type Request } from '../../engine/api.ts'
import { callerOf } from './caller.ts'
import { type ContentAnswer, sendContent } from './content.ts'
import { conditionFields, takes } from './preconditions.ts'
import { contentOf, declaredBytes } from './upload.ts'

/**
 * One request of any door over HTTP, and what it needs of the engine. Whatever throws here, or in a
 * handler around it, leaves as a problem. What is left to a door is its URLs, its methods, and how the
 * answer of a call that is no content is told.
 */
export interface Exchange {
  /**
   * Fields of an operation that travel as headers: tokens of locks, the request id, conditions. One that
   * the operation cannot keep is refused.
   *
   * @param place what its conditions are about.
   */
  headerFields(operation: OperationName, place: Partial<Place>): Promise<Record<string, unknown>>
  /**
   * Checks the input against the contract and calls, with the body as content where the operation takes
   * one, and until the client leaves. Revision and notices become headers of the answer.
   */
  call<N extends OperationName>(operation: N, input: unknown): Promise<Answer<N>>
  /** Answers GET and HEAD of a content: ETag, 304, 412, one range, type. */
  sendContent(answer: ContentAnswer): Promise<FastifyReply>
}

export interface Place {
  workspace: string
  path: string
}

export function exchangeOf(
  engine: EngineApi,
  request: FastifyRequest,
  reply: FastifyReply,
): Exchange {
  return {
    sendContent: (answer) => sendContent(request, reply, answer),
    async headerFields(operation, { workspace = 'main', path = '/' }) {
      const row = operationOf(operation)
      const { 'sluice-lock': locks, 'idempotency-key': requestId } = request.headers
      return {
        ...(locks !== undefined && takes(row, 'locks') ? { locks: String(locks) } : {}),
        ...(requestId !== undefined && takes(row, 'request_id')
          ? { request_id: String(requestId) }
          : {}),
        ...(await conditionFields(row, request.headers, () =>
          versionAt(engine, request, { workspace, path }),
        )),
      }
    },
    async call<N extends OperationName>(operation: N, raw: unknown): Promise<Answer<N>> {
      const parsed = parseInput(operation, raw)
      if (!parsed.ok) throw new SluiceError(problemOf(parsed.refusal))
      const { input } = parsed
      const caller = await callerOf(engine, request)
      const call: Request<N> = { operation, input, caller }
      if ('wait' in input) call.signal = departureOf(reply, 'request_id' in input)
      if (operationOf(operation).content === 'in') {
        call.content = contentOf(request)
        call.contentBytes = declaredBytes(request)
      }
      const { workspace } = input as { workspace?: string }
      let answer: Answer<N>
      try {
        answer = await engine.call(call)
      } finally {
        // What the session should know is told with whatever it asked, refused or not.
        const untold = workspace === undefined ? 0 : engine.untoldNotices(caller, workspace)
        if (untold > 0) reply.header('sluice-notices', String(untold))
      }
      if (workspace !== undefined) reply.header('sluice-revision', String(answer.revision))
      return answer
    },
  }
}

/** The version that the caller would read there; 0 where there is nothing that it may see. */
async function versionAt(
  engine: EngineApi,
  request: FastifyRequest,
  place: Place,
): Promise<number> {
  const parsed = parseInput('get_entry', { ...place, depth: 0 })
  if (!parsed.ok) throw new SluiceError(problemOf(parsed.refusal))
  const caller = await callerOf(engine, request)
  try {
    const { value } = await engine.call({ operation: 'get_entry', input: parsed.input, caller })
    return value.kind === 'file' ? value.version : 0
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return 0
    throw error
  }
}

/**
 * Aborts when the client leaves before it has its answer. The framework's own signal also aborts when
 * a request's body has been read to its end, which is no departure. With a request id it may come back
 * for the same answer.
 */
function departureOf(reply: FastifyReply, mayComeBack: boolean): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(mayComeBack ? CONNECTION_LOST : undefined)
  })
  return controller.signal
}
