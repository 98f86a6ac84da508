import { fail } from '../../contract/errors.ts'
import { type Event, eventRowOf } from '../../contract/events.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { isUnder } from '../../contract/path.ts'
import { isoTime, timeShownAs } from '../../contract/time.ts'
import { maySupervise, type Tree } from '../../core/agent/rights.ts'
import type { Actor } from '../../core/command.ts'
import { LedgerDamaged } from '../../store/ledger.ts'
import type { Handlers } from '../handler.ts'
import type { Stream } from '../stream/stream.ts'
import { mayHear } from './audience.ts'
import { pathsIn } from './event-paths.ts'

/** The ledger as people read it: who did or tried what. Rows are made from the facts themselves. */
export type AuditRow = Output<'query_audit'>['rows'][number]

type About = (session: string) => Record<string, string> | undefined

function rowOf(event: Event, paths: readonly string[] | undefined, about: About): AuditRow {
  const said = about(event.session)
  const { revision, at, agent, session, kind } = event
  const row = {
    ...{ revision, at: isoTime(at), agent, session },
    ...(said === undefined ? {} : { about: said }),
    paths: [...(paths ?? [])],
    detail: eventRowOf(kind).detail(event as never),
  }
  if (event.kind !== 'command-refused') return { ...row, kind, outcome: 'done', count: 1 }
  const { command, code, count } = event
  return { ...row, kind: command, outcome: 'refused', code, count }
}

/**
 * Rows newest first. The ledger is read backwards in windows of revisions until enough rows are
 * found, so a question about the recent past costs the same however old the workspace is.
 */
async function queryAudit(
  stream: Stream,
  actor: Actor,
  input: Parsed<'query_audit'>,
  about: About,
): Promise<Output<'query_audit'>> {
  const isWanted = wanted(actor, input)
  const isAll = maySupervise(actor.role)
  const since = input.since === undefined ? 0 : timeOf('since', input.since)
  const rows: AuditRow[] = []
  let end = Math.min(stream.durable, (input.before ?? Number.MAX_SAFE_INTEGER) - 1)
  while (end > 0) {
    const start = Math.max(1, end - WINDOW + 1)
    const window: Event[] = []
    for await (const { events } of stream.history(start, end)) window.push(...events)
    const pathsOf = await pathsIn(stream, window, isWanted)
    for (const event of window.reverse()) {
      if (event.revision > end || event.revision < start) continue
      if (event.at < since) return { rows, more: false }
      if (!isWanted(event)) continue
      const paths = pathsOf(event)
      if (!isAbout(stream.state, input.path, paths)) continue
      if (!isAll && !mayHear(event, paths, actor, stream.state)) continue
      if (rows.length >= input.limit) return { rows, more: true }
      rows.push(rowOf(event, paths, about))
    }
    if (window.length === 0) break
    end = start - 1
  }
  return { rows, more: false }
}

const WINDOW = 5000

/** Whose and which rows, by what the facts themselves say. */
function wanted(actor: Actor, input: Parsed<'query_audit'>): (event: Event) => boolean {
  const until = input.until === undefined ? Number.POSITIVE_INFINITY : timeOf('until', input.until)
  const agent = maySupervise(actor.role) ? input.agent : actor.agent
  if (!maySupervise(actor.role) && input.agent !== undefined && input.agent !== actor.agent) {
    fail('forbidden', 'Agents see their own rows; ask a supervisor for those of others.')
  }
  return (event) => {
    if (event.at > until) return false
    // Nobody did anything: what was there already has a second place.
    if (event.kind === 'contents-kept' && input.kind !== event.kind) return false
    if (agent !== undefined && event.agent !== agent) return false
    const refused = event.kind === 'command-refused'
    if (input.outcome !== undefined && (input.outcome === 'refused') !== refused) return false
    if (input.kind === undefined || input.kind === event.kind) return true
    return refused && input.kind === event.command
  }
}

/** Those that are about a path, or something below it. */
function isAbout(
  tree: Tree,
  within: string | undefined,
  paths: readonly string[] | undefined,
): boolean {
  if (within === undefined) return true
  return paths?.some((path) => isUnder(within, path, tree.settings.portable_names)) === true
}

function timeOf(field: string, text: string): number {
  const at = timeShownAs(text)
  if (Number.isNaN(at)) {
    fail('invalid_request', `${field}: not a time; write it as 2026-01-31T12:00:00Z.`, {
      fields: [{ field, fault: 'not ISO 8601' }],
    })
  }
  return at
}

/** The audit of one stream; the ledger has only what is durable. */
export function auditing(stream: Stream, about: About): Handlers<'stream'> {
  return {
    query_audit: {
      read:
        ({ actor }, { input }) =>
        () =>
          queryAudit(stream, actor, input, about),
    },
    verify_audit: { read: () => () => verifyAudit(stream) },
  }
}

/** Reads every batch; the adapter checks sums and chain on the way. */
async function verifyAudit(stream: Stream): Promise<Output<'verify_audit'>> {
  const result: Output<'verify_audit'> = { ok: true, from: 0, to: 0, batches: 0, hash: '' }
  try {
    for await (const { events, hash } of stream.history(1, stream.durable)) {
      if (result.batches === 0) result.from = events[0]?.revision ?? 0
      result.batches += 1
      result.to = events.at(-1)?.revision ?? result.to
      result.hash = hash
    }
  } catch (error) {
    if (!(error instanceof LedgerDamaged)) throw error
    result.ok = false
    result.fault = error.message
  }
  return result
}
