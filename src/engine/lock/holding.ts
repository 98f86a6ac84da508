import { fail } from '../../contract/errors.ts'
import type { EventOf } from '../../contract/events.ts'
import { isoTime } from '../../contract/time.ts'
import type { Actor } from '../../core/command.ts'
import { type Handlers, simple } from '../handler.ts'
import type { WorkspaceContext } from '../workspace-context.ts'
import { assertOwn } from './acquiring.ts'
import { listLocks } from './list-locks.ts'
import { lockFacts } from './lock-answers.ts'
import { numberOf } from './named.ts'

type Held = Pick<
  Handlers<'workspace'>,
  | 'get_lock'
  | 'list_locks'
  | 'renew_lock'
  | 'release_lock'
  | 'release_all_locks'
  | 'leave_queue'
  | 'handover_lock'
  | 'ask_holder'
  | 'answer_ask'
  | 'recall_lock'
  | 'extend_recall'
>

/** The operations on locks that stand: looking, keeping, giving back, handing over, recalling, asking. */
export function holding(context: WorkspaceContext): Held {
  const { leases, clock, stream, statistics } = context
  const factsOf = (lock: number, actor: Actor) =>
    lockFacts(context.lockEver(lock, actor), context.moment())
  const changed = (id: string, actor: Actor) => ({
    lock: factsOf(numberOf(id), actor),
    server_time: isoTime(clock.now()),
  })
  return {
    get_lock: {
      read: (reader, { input }) => ({
        lock: lockFacts(context.lockOf(numberOf(input.id), reader.actor), reader.moment),
      }),
    },
    list_locks: { read: (reader, { input }) => listLocks(reader, input, statistics) },
    renew_lock: {
      async run({ input, actor }) {
        const lock = numberOf(input.id)
        assertOwn(actor, context.lockOf(lock, actor).owner, input.id)
        leases.claim(lock, clock.now())
        leases.renew(lock, clock.now())
        return stream.shown(() => changed(input.id, actor))
      },
    },
    release_lock: simple({
      facts: ['lock-released', 'lock-opened'],
      decide(call) {
        const { id, force = false, reason } = call.input
        return call.decide({ kind: 'release-lock', lock: numberOf(id), force, reason }).events[0]
      },
      answer: (_, fact) => ({ released: fact !== undefined }),
    }),
    release_all_locks: simple({
      facts: ['lock-released', 'ticket-left'],
      decide: (call) => call.decide({ kind: 'release-all' }).events[0],
      answer: (_, fact) => ({ released: 0, left: 0, ...fact?.result }),
    }),
    leave_queue: simple({
      facts: ['ticket-left', 'lock-released'],
      decide: (call) =>
        call.decide({ kind: 'leave-queue', ticket: numberOf(call.input.ticket) }).events[0],
      answer: (_, fact) => ({ left: fact !== undefined }),
    }),
    handover_lock: simple({
      facts: ['lock-handed-over'],
      decide(call) {
        const { id, to } = call.input
        const lock = numberOf(id)
        const parties =
          to === undefined
            ? { holder: goneHolder(context, id, call.actor), to: call.actor }
            : { to: context.outside.sessionFor(to) }
        const { events, held } = call.decide({ kind: 'hand-over-lock', lock, ...parties })
        leases.claim(held?.id ?? events[0]?.revision ?? lock, clock.now())
        return events[0]
      },
      answer: ({ input, actor }, fact) => ({
        lock: factsOf(fact?.revision ?? numberOf(input.id), actor),
        was: input.id,
      }),
    }),
    ask_holder: simple({
      facts: ['holder-asked'],
      decide(call) {
        const { id, message } = call.input
        return call.decide({ kind: 'ask-holder', lock: numberOf(id), message }).events[0]
      },
      answer(_, fact) {
        const { revision, to } = fact as EventOf<'holder-asked'>
        return { ask: `A${revision}`, to }
      },
    }),
    answer_ask: simple({
      facts: ['ask-answered'],
      decide(call) {
        const { ask, answer, estimate_s: estimateS, message } = call.input
        const answered = { ask: numberOf(ask), answer, estimateS, message }
        return call.decide({ kind: 'answer-ask', ...answered }).events[0]
      },
      answer: (_, fact) => ({ answered: true, released: fact?.result?.released === true }),
    }),
    recall_lock: simple({
      facts: ['lock-recalled'],
      decide(call) {
        const { id, reason, grace } = call.input
        const graceMs = grace === undefined ? undefined : grace * 1000
        return call.decide({ kind: 'recall-lock', lock: numberOf(id), reason, graceMs }).events[0]
      },
      answer: ({ input, actor }) => changed(input.id, actor),
    }),
    extend_recall: simple({
      facts: ['recall-extended'],
      decide: (call) =>
        call.decide({ kind: 'extend-recall', lock: numberOf(call.input.id) }).events[0],
      answer: ({ input, actor }) => changed(input.id, actor),
    }),
  }
}

/**
 * Who held what a caller takes back: an earlier session of the same agent, which is gone. One that is
 * still there may be at work, and is asked like anybody else.
 */
function goneHolder(context: WorkspaceContext, id: string, actor: Actor): { session: string } {
  const { owner } = context.lockOf(numberOf(id), actor)
  if (owner.session === actor.session) return actor
  if (owner.agent !== actor.agent) {
    return fail('forbidden', `${id} belongs to ${owner.agent}. Ask its holder for it (ask_holder).`)
  }
  const { actorOf, isGone } = context.outside
  if (actorOf(owner.session) === undefined || isGone(owner.session)) return owner
  return fail(
    'lock_conflict',
    `${id} belongs to ${owner.session}, another session of your agent, and that one is not gone. ` +
      'Ask it for the lock (ask_holder), or wait for it.',
    { lock: id, session: owner.session },
  )
}
