import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ServerNote, serverNote } from '../../src/server-note.ts'
import { type Reading, readingOf } from './content.ts'
import type { ToldEvent } from './replay.ts'

/** What the server of a folder says of it, over HTTP as its admin. */
export class ServerView {
  readonly pid: number
  private readonly url: string
  private readonly token: string

  /** `sluice mcp` answers before its server is up, so it may come an instant later. */
  static async of(root: string): Promise<ServerView> {
    const data = join(root, '.sluice')
    for (const deadline = Date.now() + START_MS; Date.now() < deadline; await pause(20)) {
      const note = serverNote(data)
      if (note !== undefined) return new ServerView(data, note)
    }
    throw new Error(`there is no server for ${root}`)
  }

  private constructor(data: string, note: ServerNote) {
    this.pid = note.pid
    this.url = `${note.url}/v1/workspaces/main`
    this.token = readFileSync(join(data, 'admin.token'), 'utf8').trim()
  }

  async revision(): Promise<number> {
    return ((await this.json('')) as { revision: number }).revision
  }

  /** Resolves once every tracked file has been looked at. */
  async isScanned(): Promise<boolean> {
    const { folder } = (await this.json('')) as { folder?: { scan: { done: boolean } } }
    return folder?.scan.done === true
  }

  /** All events from the first one on, until it is told to stop. */
  async *events(stop: AbortSignal): AsyncIterable<ToldEvent> {
    const response = await this.ask('/events?since=0', stop)
    const decoder = new TextDecoder()
    let text = ''
    try {
      for await (const chunk of response.body as ReadableStream<Uint8Array>) {
        text += decoder.decode(chunk, { stream: true })
        const frames = text.split('\n\n')
        text = frames.pop() ?? ''
        for (const frame of frames) {
          const data = /^data: (.*)$/m.exec(frame)?.[1]
          if (data !== undefined) yield JSON.parse(data) as ToldEvent
        }
      }
    } catch (error) {
      if (!stop.aborted) throw error
    }
  }

  /** What is said of the file that had this path at a revision; undefined: it is refused. */
  async contentAt(path: string, at: number): Promise<Reading | undefined> {
    const response = await this.ask(`/files${encodeURI(path)}?at=${at}`)
    const text = await response.text()
    return response.status === 200 ? readingOf(text) : undefined
  }

  /** Revisions that the history of a path lists. */
  async history(path: string): Promise<number[]> {
    const revisions: number[] = []
    for (let before = ''; ; before = `&before=${revisions.at(-1)}`) {
      const answer = (await this.json(`/history${encodeURI(path)}?limit=1000${before}`)) as {
        versions?: { version: number }[]
        more?: boolean
      }
      // A folder stands there now, or nothing ever had that name.
      if (answer.versions === undefined) return revisions
      revisions.push(...answer.versions.map(({ version }) => version))
      if (answer.more !== true) return revisions
    }
  }

  /** @returns nothing where it is refused */
  async read(path: string): Promise<Uint8Array | undefined> {
    const response = await this.ask(`/files${encodeURI(path)}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    return response.status === 200 ? bytes : undefined
  }

  private async json(path: string): Promise<unknown> {
    return (await this.ask(path)).json()
  }

  private ask(path: string, signal?: AbortSignal): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'sluice-session': 'checker' }
    return fetch(`${this.url}${path}`, { headers, ...(signal === undefined ? {} : { signal }) })
  }
}

/** How long a server may take to start, on a machine that is busy. */
const START_MS = 30_000
