import type { Notice } from '../../contract/door.ts'
import type { Event, EventOf } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { isoTime } from '../../contract/time.ts'
import type { Moment } from '../../core/command.ts'
import { taken } from '../../core/file/permit.ts'
import { holdersInTheWay, visitNodes } from '../../core/lock/conflict.ts'
import { lostSentence } from '../../core/lock/describe.ts'
import { MODE } from '../../core/lock/mode.ts'
import type { HeldItem, Lock, Owner } from '../../core/lock/table.ts'
import type { Ask, State } from '../../core/state.ts'
import { bypassed } from './outside-notice.ts'
import type { Telling } from './telling.ts'

export function* tellings(event: Event, state: State, moment: Moment): Generator<Telling> {
  switch (event.kind) {
    case 'lock-queued':
      yield* waiting(event, state, moment)
      break
    case 'lock-recalled':
      yield* recalled(event, state)
      break
    case 'recall-ended': {
      const lock = state.locks.locks.get(event.lock)
      if (lock === undefined) break
      const text =
        `The recall of your ${told(lock)} is over: nobody waits for it any more. Go on with your ` +
        'work; release it when you are done.'
      yield tell(lock.owner.session, 'recall_ended', event, lock, text)
      break
    }
    case 'lock-released':
      yield* lost(event, state)
      break
    case 'lock-handed-over': {
      const lock = state.locks.locks.get(event.revision)
      if (lock === undefined) break
      const text = `${event.session} handed you the ${told(lock)}. It is yours now; release it when you are done.`
      yield tell(event.to.session, 'handed_over', event, lock, text, event)
      break
    }
    case 'holder-asked': {
      const ask = state.asks.get(event.revision)
      if (ask !== undefined) yield asked(ask)
      break
    }
    case 'ask-answered':
      yield* answered(event, state)
      break
    case 'files-committed':
      yield* changed(event, state)
      break
    case 'lock-bypassed':
      yield* bypassed(event, state)
      break
    default:
  }
}

/**
 * What is in force after a start: a crash takes along what nobody had been told yet, of a lock that was
 * granted in a queue or handed over, of a recall, of a question. Of each session the newest.
 */
export function* startTellings(state: State, at: number, most: number): Generator<Telling> {
  for (const { session, locks } of state.locks.owners.values()) {
    for (const lock of [...locks].slice(-most)) {
      const { recall } = lock
      const text =
        recall === undefined
          ? `The server was started anew. You hold the ${told(lock)}; release it when you are done.`
          : `The server was started anew. Your ${told(lock)} is recalled. ${giveItBack(recall.deadline)}`
      const notice: Notice = {
        kind: recall === undefined ? 'granted' : 'recalled',
        text,
        at: isoTime(at),
        lock: `L${lock.id}`,
        paths: pathsOf(lock),
        ...optional('until', recall === undefined ? undefined : isoTime(recall.deadline)),
      }
      yield { session, notice }
    }
  }
  for (const ask of state.asks.values()) {
    if (ask.answer === undefined && state.locks.locks.has(ask.lock)) yield asked(ask)
  }
}

function asked(ask: Ask): Telling {
  const { id, lock, paths, from, to, message, at } = ask
  const text =
    `${from.session} asks about your lock L${lock} on ${paths.join(', ')}: ` +
    `"${message}". Answer A${id} with yield, an estimate, or no.`
  const notice: Notice = {
    kind: 'asked',
    text,
    at: isoTime(at),
    lock: `L${lock}`,
    paths,
    from: { agent: from.agent, session: from.session },
    ask: `A${id}`,
  }
  return { session: to.session, notice }
}

function giveItBack(deadline: number): string {
  return (
    `Commit and release it, or make it weaker, before ${isoTime(deadline)}; you may extend that once. ` +
    'Then it is taken away.'
  )
}

/** Its turn came between two calls: any use of the lock claims it (locks §10). */
export function grantedUnasked(lock: Lock, until: number, at: number): Notice {
  const ticket = lock.ticket === undefined ? undefined : `T${lock.ticket}`
  return {
    kind: 'granted',
    text:
      `Your turn came: ${ticket ?? 'it'} was granted, and you hold the ${told(lock)}. Use it before ` +
      `${isoTime(until)} (read, then write under it), or it passes on; release it when you are done.`,
    at: isoTime(at),
    lock: `L${lock.id}`,
    paths: pathsOf(lock),
    until: isoTime(until),
    ...optional('ticket', ticket),
  }
}

/** Whether a notice of a session still says how things are; what was lost or answered stays so. */
export function isCurrent(notice: Notice, session: string, state: State): boolean {
  const { kind, ticket, ask } = notice
  if (kind === 'lost' || kind === 'answered' || notice.lock === undefined) return true
  const lock = state.locks.locks.get(numberOf(notice.lock))
  if (lock?.owner.session !== session) return false
  switch (kind) {
    case 'waiting':
      return ticket !== undefined && state.locks.tickets.has(numberOf(ticket))
    case 'recalled':
      return lock.recall !== undefined
    case 'recall_ended':
      return lock.recall === undefined
    case 'asked': {
      const asked = ask === undefined ? undefined : state.asks.get(numberOf(ask))
      return asked !== undefined && asked.answer === undefined
    }
    default:
      return true
  }
}

function numberOf(id: string): number {
  return Number(id.slice(1))
}

function told(lock: Lock): string {
  return `lock L${lock.id} on ${pathsOf(lock).join(', ')}`
}

function pathsOf(lock: Lock): string[] {
  return lock.items.map((item) => item.path)
}

function tell(
  session: string,
  kind: Notice['kind'],
  event: Event,
  lock: Lock,
  text: string,
  from?: { agent: string; session: string },
): Telling {
  const notice: Notice = {
    kind,
    text,
    at: isoTime(event.at),
    lock: `L${lock.id}`,
    paths: pathsOf(lock),
  }
  if (from !== undefined) notice.from = { agent: from.agent, session: from.session }
  return { session, notice }
}

/** Each holder in the way hears that somebody waits, and until when it has. */
function* waiting(event: EventOf<'lock-queued'>, state: State, moment: Moment): Generator<Telling> {
  const ticket = state.locks.tickets.get(event.revision)
  if (ticket === undefined) return
  const heard = new Set<Owner>()
  for (const item of ticket.items) {
    const holders = holdersInTheWay(state.locks, item, [ticket.owner], LIMITS.holdersNamed)
    for (const { by: lock } of holders) {
      if (heard.has(lock.owner) || lock.closedUntil !== undefined) continue
      heard.add(lock.owner)
      const why = event.intent === undefined ? '' : ` for "${event.intent}"`
      const ends = isoTime(lock.recall?.deadline ?? moment.expiresAt(lock.id))
      const until = lock.recall === undefined ? `ends at ${ends} unless renewed` : `ends at ${ends}`
      const text =
        `${event.session} waits for ${item.path}${why}, since ${isoTime(event.at)}. Your ${told(lock)} ` +
        `${until}; release it as soon as you are done.`
      const telling = tell(lock.owner.session, 'waiting', event, lock, text, event)
      telling.notice.until = ends
      telling.notice.ticket = `T${ticket.id}`
      yield telling
    }
  }
}

function* recalled(event: EventOf<'lock-recalled'>, state: State): Generator<Telling> {
  const lock = state.locks.locks.get(event.lock)
  if (lock === undefined) return
  const until = isoTime(event.deadline)
  const reasons = {
    priority: `${event.session} waits with a higher priority`,
    'max-hold': 'others have waited long enough',
    upgrade: `${event.session} wants it for itself alone`,
    supervisor: `${event.agent} wants it back${event.why === undefined ? '' : ` ("${event.why}")`}`,
  }
  const text = `Your ${told(lock)} is recalled: ${reasons[event.reason]}. ${giveItBack(event.deadline)}`
  const telling = tell(lock.owner.session, 'recalled', event, lock, text, event)
  telling.notice.until = until
  yield telling
}

function* lost(event: EventOf<'lock-released'>, state: State): Generator<Telling> {
  const ended = state.locks.ended.get(event.lock)
  const isLoss = ['expired', 'unclaimed', 'forced', 'revoked'].includes(event.reason)
  if (ended === undefined || !isLoss) return
  const text = `${lostSentence(ended)}. Read the files again and take a new lock before you write.`
  yield tell(ended.lock.owner.session, 'lost', event, ended.lock, text)
}

function* answered(event: EventOf<'ask-answered'>, state: State): Generator<Telling> {
  const ask = state.asks.get(event.ask)
  if (ask === undefined) return
  const { agent, session, estimateS, message } = event
  const said = message === undefined ? '' : ` ("${message}")`
  const answers = {
    yield: 'gives it back now',
    estimate: `needs ${estimateS === undefined ? 'some time' : `about ${estimateS} s`}`,
    no: 'cannot give it back yet',
  }
  const notice: Notice = {
    kind: 'answered',
    text: `${session}, about lock L${ask.lock} on ${ask.paths.join(', ')}: ${answers[event.answer]}${said}.`,
    at: isoTime(event.at),
    lock: `L${ask.lock}`,
    paths: ask.paths,
    from: { agent, session },
    ask: `A${ask.id}`,
  }
  yield { session: ask.from.session, notice }
}

/** A read lock pins a version, and hears when there is a newer one. */
function* changed(event: EventOf<'files-committed'>, state: State): Generator<Telling> {
  const { root } = state.locks
  if ((root.heldMask & READS) === 0) return
  const heard = new Set<Lock>()
  for (const change of event.changes) {
    const found: HeldItem[] = []
    const wanted = taken(state.locks, change.path, MODE.R)
    visitNodes(state.locks, wanted, (node) => {
      for (const item of node.holds) {
        const concerns = item.folded === wanted.folded || item.subtree
        if (concerns && item.mode === MODE.R && item.key === undefined) found.push(item)
      }
      return false
    })
    for (const { by: lock } of found) {
      if (heard.has(lock) || lock.owner.session === event.session) continue
      heard.add(lock)
      const text =
        `${event.session} changed ${change.path}, which your read lock L${lock.id} covers: it is at ` +
        `version ${event.revision} now. Read it again if you rely on it.`
      const telling = tell(lock.owner.session, 'changed', event, lock, text, event)
      telling.notice.paths = [change.path]
      yield telling
    }
  }
}

const READS = (1 << MODE.IR) | (1 << MODE.R)
