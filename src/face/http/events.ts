import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import { EVENT_KINDS, type EventKind, type ShownEvent } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { name, path, versionGiven } from '../../contract/operation/fields.ts'
import { parseAs } from '../../contract/parse.ts'
import type { EngineApi, WatchQuery } from '../../engine/api.ts'
import { callerOf } from '../http-kit/caller.ts'
import { problemFor } from '../http-kit/problems.ts'

/**
 * The workspace's events as a stream of server-sent events: `id` is the revision, so a browser's
 * EventSource resumes by itself. Events are pulled from the engine as fast as the client reads them;
 * what a slow client has not read yet stays in the ledger. One that stops reading is cut off.
 */
const HEARTBEAT_MS = 15_000
/** From this many unread bytes on, the engine is asked for no more events. */
const PAUSE_BYTES = 1024 * 1024
/** How long a refusal may take to still become a status code; a later one is an event of the stream. */
const FIRST_ANSWER_MS = 250

const kinds = z
  .union([z.string(), z.array(z.string())])
  .transform((given) =>
    (Array.isArray(given) ? given : given.split(',')).map((kind) => kind.trim()),
  )
  .refine(
    (given) => given.every((kind) => Object.hasOwn(EVENT_KINDS, kind)),
    'no such kind of event',
  )

/** Query of the event stream. */
export const eventsQuery = z.strictObject({
  workspace: name,
  since: versionGiven.optional().describe('Events after this revision; default: from now on'),
  path: path.optional().describe('Only events of this path and what lies below it'),
  kind: kinds.optional().describe('Only these kinds, by comma'),
})

export function addEventRoute(app: FastifyInstance, engine: EngineApi, closing: AbortSignal): void {
  app.get('/v1/workspaces/:workspace/events', async (request, reply) => {
    const caller = await callerOf(engine, request)
    const departure = new AbortController()
    reply.raw.once('close', () => departure.abort())
    const signal = AbortSignal.any([departure.signal, closing])
    const query = queryOf(engine, request, signal)
    const batches = engine.watch(caller, query)[Symbol.asyncIterator]()
    const first = batches.next()
    try {
      await settledOrLate(first, query.since < (engine.revision(query.workspace) ?? 0))
    } catch (error) {
      departure.abort()
      throw error
    }
    reply.hijack()
    openStream(engine, reply, query.workspace)
    await pump(engine, reply.raw, first, batches)
    departure.abort()
  })
}

function queryOf(engine: EngineApi, request: FastifyRequest, signal: AbortSignal): WatchQuery {
  const raw = { ...(request.query as object), ...(request.params as object) }
  const result = parseAs(eventsQuery, raw)
  if (!result.ok) throw new SluiceError(problemOf(result.refusal))
  const { workspace, since, path, kind } = result.input
  const revision = engine.revision(workspace)
  if (revision === undefined) fail('not_found', `There is no workspace "${workspace}".`)
  const query: WatchQuery = { workspace, since: lastEventId(request) ?? since ?? revision, signal }
  if (path !== undefined) query.path = path
  if (kind !== undefined) query.kinds = kind as EventKind[]
  return query
}

/** A client that resumes repeats its first URL: what it has seen since then comes first. */
function lastEventId(request: FastifyRequest): number | undefined {
  const header = request.headers['last-event-id']
  if (header === undefined || header === '') return undefined
  if (typeof header !== 'string' || !/^\d{1,16}$/.test(header)) {
    fail('invalid_request', 'Last-Event-ID must be a revision.')
  }
  return Number(header)
}

/** Waits for the first answer only where a refusal (`compacted`) can still be one. */
async function settledOrLate(first: Promise<unknown>, mayBeRefused: boolean): Promise<void> {
  // The pump looks at the outcome; until then, a rejection must not count as unhandled.
  first.catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, mayBeRefused ? FIRST_ANSWER_MS : 0)
  })
  try {
    await Promise.race([first, late])
  } finally {
    clearTimeout(timer)
  }
}

function openStream(engine: EngineApi, reply: FastifyReply, workspace: string): void {
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'sluice-revision': String(engine.revision(workspace) ?? 0),
    'x-accel-buffering': 'no',
  })
  reply.raw.write(': open\n\n')
}

async function pump(
  engine: EngineApi,
  response: ServerResponse,
  first: Promise<IteratorResult<ShownEvent[]>>,
  batches: AsyncIterator<ShownEvent[]>,
): Promise<void> {
  const heartbeat = setInterval(() => write(response, ': still here\n\n'), HEARTBEAT_MS)
  try {
    for (let turn = await first; turn.done !== true; turn = await batches.next()) {
      for (const event of turn.value) {
        write(response, frameOf(event.kind, event, event.revision))
        if (response.writableLength > PAUSE_BYTES) await drained(response)
      }
    }
  } catch (error) {
    if (!response.destroyed) write(response, frameOf('problem', problemFor(error, engine)))
  } finally {
    clearInterval(heartbeat)
    response.end()
  }
}

function frameOf(event: string, data: unknown, revision?: number): string {
  const id = revision === undefined ? '' : `id: ${revision}\n`
  return `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Cuts off who leaves more unread than the bound, which only heartbeats or huge events can add. */
function write(response: ServerResponse, text: string): void {
  if (response.destroyed) return
  response.write(text)
  if (response.writableLength > LIMITS.eventStreamQueueBytes) response.destroy()
}

async function drained(response: ServerResponse): Promise<void> {
  const deadline = AbortSignal.timeout(LIMITS.stalledMs)
  const left = new AbortController()
  const onClose = () => left.abort()
  response.once('close', onClose)
  try {
    if (!response.destroyed) {
      await once(response, 'drain', { signal: AbortSignal.any([deadline, left.signal]) })
    }
  } catch {
    response.destroy()
  } finally {
    response.off('close', onClose)
  }
}
