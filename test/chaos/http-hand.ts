import { setTimeout as sleep } from 'node:timers/promises'
import { type Problem, SluiceError } from '../../src/contract/errors.ts'
import { type Changes, type Hand, type Level, LOCK_TTL_S, LOCK_WAIT_S } from './hand.ts'

const MAIN = '/v1/workspaces/main'

interface Ask {
  json?: unknown
  body?: string | Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
}

/** Bare HTTP: asks again with the same Idempotency-Key until there is an answer. */
export class HttpHand implements Hand {
  readonly agent: string
  readonly session: string
  retried = 0
  private readonly url: string
  private readonly token: string
  private next = 1

  constructor(url: string, token: string, agent: string) {
    this.url = url
    this.token = token
    this.agent = agent
    this.session = `${agent}:http`
  }

  async write(path: string, content: string | Uint8Array<ArrayBuffer>, ifVersion?: number) {
    const query = ifVersion === undefined ? '' : `?if_version=${ifVersion}`
    return (await this.ask('PUT', `${MAIN}/files${path}${query}`, { body: content })) as {
      version: number
    }
  }

  async versionOf(path: string) {
    try {
      return ((await this.ask('GET', `${MAIN}/entries${path}`, {})) as { version: number }).version
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'not_found') return 0
      throw error
    }
  }

  async append(path: string, text: string) {
    const json = { append: text }
    return (await this.ask('PATCH', `${MAIN}/files${path}`, { json })) as { version: number }
  }

  async edit(path: string, oldText: string, newText: string) {
    const json = { edits: [{ oldText, newText }] }
    return (await this.ask('PATCH', `${MAIN}/files${path}`, { json })) as { version: number }
  }

  async remove(path: string) {
    const answer = await this.raw('DELETE', `${MAIN}/files${path}`, {})
    return { version: Number(answer.headers.get('sluice-revision')) }
  }

  commit(paths: readonly string[], content: string) {
    return this.change(paths.map((path) => ({ op: 'write', path, text: content })))
  }

  async change(changes: Changes) {
    return (await this.ask('POST', `${MAIN}/commits`, { json: { changes } })) as {
      revision: number
    }
  }

  async acquire(path: string, level: Level) {
    const json = { path, level, ttl: LOCK_TTL_S, wait: LOCK_WAIT_S }
    let answer = (await this.ask('POST', `${MAIN}/locks`, { json })) as Acquired
    for (let turn = 0; answer.status === 'queued' && turn < 2; turn++) {
      const ticket = `${MAIN}/tickets/${answer.ticket}`
      try {
        answer = (await this.ask('GET', `${ticket}?wait=2`, {})) as Acquired
      } catch (error) {
        // Nobody claimed it in time while the server was away: it went to the next in line.
        if (error instanceof SluiceError && error.code === 'ticket_gone') return undefined
        throw error
      }
    }
    if (answer.status === 'granted') return { id: answer.lock.id }
    await this.raw('DELETE', `${MAIN}/tickets/${answer.ticket}`, {})
    return undefined
  }

  async release(id: string) {
    await this.raw('DELETE', `${MAIN}/locks/${id}`, {})
  }

  async close() {}

  private async ask(method: string, path: string, ask: Ask): Promise<unknown> {
    return (await this.raw(method, path, ask)).json()
  }

  /** One request with one key, as often as it takes. */
  private async raw(method: string, path: string, ask: Ask): Promise<Response> {
    const key = `${this.agent}-${this.next++}`
    const headers: Record<string, string> = {
      authorization: `Bearer ${this.token}`,
      'sluice-session': 'http',
      ...(method === 'GET' ? {} : { 'idempotency-key': key }),
      ...(ask.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...ask.headers,
    }
    for (;;) {
      const response = await this.once(method, path, headers, ask)
      if (response?.ok) return response
      if (response !== undefined) {
        const problem = (await response.json()) as Problem
        if (problem.retry !== 'after' || problem.status !== 503) throw new SluiceError(problem)
      }
      this.retried += 1
      await sleep(20)
    }
  }

  private async once(method: string, path: string, headers: Record<string, string>, ask: Ask) {
    const body = ask.json === undefined ? ask.body : JSON.stringify(ask.json)
    try {
      const response = await fetch(this.url + path, {
        method,
        headers,
        // What is large goes in pieces, without its length in front.
        ...(body === undefined ? {} : body.length > 100_000 ? streamed(body) : { body }),
      })
      // An answer counts when all of it is here.
      const content = await response.arrayBuffer()
      const { status, headers: answered } = response
      return new Response(status === 204 ? null : content, { status, headers: answered })
    } catch {
      return undefined
    }
  }
}

type Acquired = { status: 'granted'; lock: { id: string } } | { status: 'queued'; ticket: string }

function streamed(body: string | Uint8Array<ArrayBuffer>) {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  let at = 0
  const stream = new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + 16_384))
      at += 16_384
    },
  })
  return { body: stream, duplex: 'half' as const }
}
