import { fail } from '../../contract/errors.ts'
import type { Event, PathRight } from '../../contract/events.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { isUnder } from '../../contract/path.ts'
import { isoTime, timeShownAs } from '../../contract/time.ts'
import { mayRead, maySupervise, type Tree } from '../../core/agent/rights.ts'
import type { Actor } from '../../core/command.ts'
import { LedgerDamaged } from '../../store/ledger.ts'
import type { WireEvent } from '../api.ts'
import type { Stream } from '../stream/stream.ts'
import { namesByNumber, pathsIn } from './fact-paths.ts'

/** The ledger as people read it: who did or tried what. Rows are made from the facts themselves. */
export type AuditRow = Output<'query_audit'>['rows'][number]

type About = (session: string) => Record<string, string> | undefined

function rowOf(event: Event, paths: readonly string[], about: About): AuditRow {
  const said = about(event.session)
  const row: AuditRow = {
    revision: event.revision,
    at: isoTime(event.at),
    agent: event.agent,
    session: event.session,
    ...(said === undefined ? {} : { about: said }),
    kind: event.kind === 'command-refused' ? event.command : event.kind,
    paths: [...paths],
    outcome: event.kind === 'command-refused' ? 'refused' : 'done',
    count: event.kind === 'command-refused' ? event.count : 1,
    detail: detailOf(event),
  }
  if (event.kind === 'command-refused') row.code = event.code
  return row
}

function detailOf(event: Event): string {
  switch (event.kind) {
    case 'files-committed': {
      const ops = event.changes.map((change) => (change.op === 'write' ? change.how : change.op))
      const counts = [...new Set(ops)].map(
        (op) => `${op} ${ops.filter((one) => one === op).length}`,
      )
      return [counts.join(', '), event.message].filter(Boolean).join(': ')
    }
    case 'command-refused':
      return event.detail
    case 'session-opened':
    case 'session-ended':
      return event.id
    case 'agent-set':
      return [event.name, event.role, event.group, ...event.rights.map(rightText)]
        .filter(Boolean)
        .join(', ')
    case 'group-set':
      return [event.name, ...event.rights.map(rightText)].join(', ')
    case 'agent-removed':
    case 'token-created':
    case 'tokens-revoked':
    case 'workspace-made':
    case 'workspace-removed':
      return event.name
    default:
      return lockDetailOf(event)
  }
}

function rightText({ workspace, path, access }: PathRight): string {
  return `${workspace === '*' ? path : `${workspace}:${path}`}=${access}`
}

function lockDetailOf(event: Event): string {
  switch (event.kind) {
    case 'lock-acquired':
    case 'lock-raised':
    case 'lock-queued':
      return `${event.items[0]?.level ?? ''}, ttl ${event.ttlMs / 1000} s${event.intent === undefined ? '' : `: ${event.intent}`}`
    case 'lock-lowered':
      return `L${event.lock}, to ${event.items[0]?.level ?? ''}`
    case 'lock-released':
      return [`L${event.lock}`, event.reason, event.by, event.why].filter(Boolean).join(', ')
    case 'lock-handed-over':
      return `L${event.lock} to ${event.to.session}, now L${event.revision}`
    case 'lock-recalled':
      return [`L${event.lock}`, event.reason, `until ${isoTime(event.deadline)}`, event.why]
        .filter(Boolean)
        .join(', ')
    case 'recall-extended':
      return `L${event.lock}, until ${isoTime(event.deadline)}`
    case 'recall-ended':
    case 'lock-opened':
      return `L${event.lock}`
    case 'ticket-left':
    case 'ticket-moved':
      return `T${event.ticket}, ${event.kind === 'ticket-left' ? event.reason : event.why}`
    case 'holder-asked':
      return `L${event.lock}, ${event.to.session}: ${event.message}`
    case 'ask-answered':
      return [`A${event.ask}`, event.answer, event.message].filter(Boolean).join(', ')
    case 'draft-kept':
      return `${event.size} bytes, after L${event.lock}`
    case 'draft-dropped':
      return `D${event.draft}`
    default:
      return ''
  }
}

/**
 * Rows newest first. The ledger is read backwards in windows of revisions until enough rows are
 * found, so a question about the recent past costs the same however old the workspace is.
 */
export async function queryAudit(
  stream: Stream,
  actor: Actor,
  input: Parsed<'query_audit'>,
  about: About,
): Promise<Output<'query_audit'>> {
  const isWanted = wanted(actor, input)
  const isShown = shown(stream.state, actor, input.path)
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
      if (!isShown(paths)) continue
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
    if (agent !== undefined && event.agent !== agent) return false
    const refused = event.kind === 'command-refused'
    if (input.outcome !== undefined && (input.outcome === 'refused') !== refused) return false
    if (input.kind === undefined || input.kind === event.kind) return true
    return refused && input.kind === event.command
  }
}

function shown(
  tree: Tree,
  actor: Actor,
  within: string | undefined,
): (paths: readonly string[]) => boolean {
  return (paths) => {
    if (
      within !== undefined &&
      !paths.some((path) => isUnder(within, path, tree.settings.portable_names))
    ) {
      return false
    }
    return maySupervise(actor.role) || paths.every((path) => mayRead(actor.rights, tree, path))
  }
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

/** Reads every batch; the adapter checks sums and chain on the way. */
export async function verifyAudit(stream: Stream): Promise<Output<'verify_audit'>> {
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

/**
 * A fact as watchers see it: with its paths, without request ids and hashes of tokens; undefined if
 * they may not.
 */
export function wireEvent(
  event: Event,
  paths: readonly string[],
  actor: Actor,
  tree: Tree,
): WireEvent | undefined {
  if (!paths.every((path) => mayRead(actor.rights, tree, path))) return undefined
  const isOthersRefusal = event.kind === 'command-refused' && event.agent !== actor.agent
  if (isOthersRefusal && !maySupervise(actor.role)) return undefined
  const { revision, at, kind, agent, session, ...data } = event
  const shown: Record<string, unknown> = { ...data }
  for (const hidden of HIDDEN) delete shown[hidden]
  if (namesByNumber(event)) shown.paths = paths
  return { revision, at: isoTime(at), kind, agent, session, ...shown }
}

const HIDDEN = ['requestId', 'requestIds', 'problem', 'sha256']
