import type { Operation } from '../../sim/history.ts'
import { recordCalls } from '../../sim/record.ts'
import { Connection } from '../../src/client/connection.ts'
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
  recordCalls(connection, record.operations, {
    client,
    session: `${agent}:${session}`,
    step: () => record.step(),
    now: () => performance.now(),
  })
  await connection.opened()
  return new Sluice(connection, { url, token, session })
}

/** Longer than any outage of a run. */
const RETRY_MS = 30_000
