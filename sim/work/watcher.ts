import { SluiceError } from '../../src/contract/errors.ts'
import { eventRowOf, type ShownEvent } from '../../src/contract/events.ts'
import { broken } from '../history.ts'
import type { Client } from './client.ts'

/** What one client was told by its watch: the cursor it began at, and the revisions after it. */
export interface Watched {
  client: string
  agent: string
  since: number
  events: { revision: number; kind: string; session: string }[]
}

/** What leaves has the public form of its kind, and nothing else. */
function checkShown({ revision, at, kind, agent, session, paths, ...shown }: ShownEvent): void {
  const frame = { revision, at, agent, session, paths }
  const { error } = eventRowOf(kind).shown.strict().safeParse(shown)
  if (error !== undefined) broken('I11', `${JSON.stringify(frame)} ${kind}: ${error.message}`)
}

/** A client's watch: goes on from its cursor over lost connections and sessions. */
export class Watcher {
  readonly seen: Watched[] = []
  private readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  /** On the newest connection; a program that crashed has forgotten its cursor. */
  follow(): void {
    const { client } = this
    const { sluice, workspace, program } = client
    const goesOn = this.seen.at(-1)
    const isFresh = goesOn === undefined || client.chance.happens(0.3)
    const watched: Watched = isFresh
      ? { client: client.name, agent: `a${client.index}`, since: 0, events: [] }
      : goesOn
    if (isFresh) this.seen.push(watched)
    const since = watched.events.at(-1)?.revision ?? watched.since
    const read = async (): Promise<void> => {
      for await (const event of workspace.watch({ since })) {
        if (!program.isAlive) return
        checkShown(event)
        const { revision, kind, session } = event
        watched.events.push({ revision, kind, session })
      }
    }
    read().catch((error: unknown) => {
      if (!(error instanceof SluiceError)) client.world.fail(error)
      else if (sluice?.isClosed === false && error.code !== 'unauthenticated') {
        client.world.fail(error)
      }
    })
  }
}
