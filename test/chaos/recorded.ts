import type { Operation } from '../../sim/history.ts'
import { Connection } from '../../src/client/connection.ts'
import { SluiceError } from '../../src/client/index.ts'
import { Sluice } from '../../src/client/sluice.ts'

/** Everything that clients asked in a run, in the order in which it happened to them. */
export class Record {
  readonly operations: Operation[] = []
  private steps = 0

  /** No two things share a step: all clients are in this one process. */
  step(): number {
    this.steps += 1
    return this.steps
  }
}

export interface Who {
  client: number
  agent: string
  session: string
  token: string
}

/** An SDK client on a new session, whose every call is written into the record. */
export async function connectRecorded(record: Record, url: string, who: Who): Promise<Sluice> {
  const { client, agent, session, token } = who
  const connection = new Connection(url, { token, session }, RETRY_MS)
  const call = connection.call.bind(connection)
  // The SDK tells the request ids it makes up to nobody but the server.
  const inside = connection as unknown as { nonce: string; nextId: number }
  connection.call = async (name, input, content, signal) => {
    const operation: Operation = {
      client,
      session: `${agent}:${session}`,
      name,
      input: input as Operation['input'],
      requestId: `${inside.nonce}-${inside.nextId}`,
      invoked: record.step(),
      invokedAt: performance.now(),
      returned: 0,
      returnedAt: 0,
      outcome: 'unknown',
      value: undefined,
      revision: 0,
      problem: undefined,
      content,
    }
    record.operations.push(operation)
    try {
      const answer = await call(name, input, content, signal)
      operation.outcome = 'done'
      operation.value = answer.value
      operation.revision = answer.revision
      if (answer.content !== undefined) operation.content = answer.content
      return answer
    } catch (error) {
      // A connection that is closed says nothing of what was under way.
      if (error instanceof SluiceError && !connection.isClosed) {
        operation.outcome = 'refused'
        operation.problem = error.problem
      }
      throw error
    } finally {
      if (operation.outcome !== 'unknown') {
        operation.returned = record.step()
        operation.returnedAt = performance.now()
      }
    }
  }
  await connection.opened()
  return new Sluice(connection, { url, token, session })
}

/** Longer than any outage of a run. */
const RETRY_MS = 30_000
