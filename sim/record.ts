import type { Connection } from '../src/client/connection.ts'
import { SluiceError } from '../src/contract/errors.ts'
import type { Operation } from './history.ts'

/** Whose calls, and by which clock. */
export interface Recorder {
  client: number
  session: string
  /** Of this moment; no two things of a history share one. */
  step(): number
  /** Milliseconds. */
  now(): number
  /** Called with what a call ended in when that was no answer. */
  failed?(error: unknown, operation: Operation): void
}

/** Writes every call of a connection, and what came of it, into a history. */
export function recordCalls(
  connection: Connection,
  history: Operation[],
  { client, session, step, now, failed }: Recorder,
): void {
  const call = connection.call.bind(connection)
  // The SDK tells the request ids it makes up to nobody but the server.
  const inside = connection as unknown as { nonce: string; nextId: number }
  connection.call = async (name, input, content, signal, as) => {
    const operation: Operation = {
      client,
      session: as === undefined ? session : `${session}/${as}`,
      name,
      input: input as Operation['input'],
      requestId: `${inside.nonce}-${inside.nextId}`,
      invoked: step(),
      invokedAt: now(),
      returned: 0,
      returnedAt: 0,
      outcome: 'unknown',
      value: undefined,
      revision: 0,
      problem: undefined,
      content,
    }
    history.push(operation)
    try {
      const answer = await call(name, input, content, signal, as)
      operation.outcome = 'done'
      operation.value = answer.value
      operation.revision = answer.revision
      if (answer.content !== undefined) operation.content = answer.content
      return answer
    } catch (error) {
      // A connection that was given up says nothing of what was under way.
      if (error instanceof SluiceError && !connection.isClosed) {
        operation.outcome = 'refused'
        operation.problem = error.problem
      }
      failed?.(error, operation)
      throw error
    } finally {
      if (operation.outcome !== 'unknown') {
        operation.returned = step()
        operation.returnedAt = now()
      }
    }
  }
}
