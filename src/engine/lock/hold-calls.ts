import { fail } from '../../contract/errors.ts'
import type { Event, EventOf } from '../../contract/events.ts'
import type { OperationName, Output, Parsed } from '../../contract/operations.ts'
import { isoTime } from '../../contract/time.ts'
import type { Actor, AskHolder, ExtendRecall, RecallLock } from '../../core/command.ts'
import type { Desk } from '../desk.ts'
import type { Outside } from '../workspace.ts'
import { lockFacts } from './lock-answers.ts'

/** The operations on locks that stand: handing over, recalling, asking. */
export class HoldCalls {
  private readonly desk: Desk
  private readonly outside: Outside

  constructor(desk: Desk, outside: Outside) {
    this.desk = desk
    this.outside = outside
  }

  async handOver(input: Parsed<'handover_lock'>, actor: Actor): Promise<Output<'handover_lock'>> {
    const lock = Number(input.id.slice(1))
    const { from, to } =
      input.to === undefined
        ? { from: this.goneHolder(input.id, actor), to: actor }
        : { from: actor, to: this.outside.sessionFor(input.to) }
    const step = this.desk.run({ kind: 'hand-over-lock', actor: from, lock, to })
    if (step.refusal !== undefined) {
      return this.desk.refused(actor, 'handover_lock', this.desk.pathsOf(lock), step.refusal)
    }
    const goesOn = step.held?.id ?? (step.events[0] as Event).revision
    this.desk.leases.claim(goesOn, this.desk.clock.now())
    const held = this.desk.lockOf(`L${goesOn}`)
    await this.desk.settledAfter(step)
    return { lock: lockFacts(held, this.desk.moment()), was: input.id }
  }

  /**
   * Who held what a caller takes back: an earlier session of the same agent, which is gone. One that
   * is still there may be at work, and is asked like anybody else.
   */
  private goneHolder(id: string, actor: Actor): Actor {
    const { owner } = this.desk.lockOf(id)
    if (owner.session === actor.session) return actor
    if (owner.agent !== actor.agent) {
      return fail(
        'forbidden',
        `${id} belongs to ${owner.agent}. Ask its holder for it (ask_holder).`,
      )
    }
    const holder = this.outside.actorOf(owner.session)
    if (holder === undefined || this.outside.isGone(owner.session)) {
      return holder ?? { ...actor, session: owner.session }
    }
    return fail(
      'lock_conflict',
      `${id} belongs to ${owner.session}, another session of your agent, and that one is not gone. ` +
        'Ask it for the lock (ask_holder), or wait for it.',
      { lock: id, session: owner.session },
    )
  }

  async ask(input: Parsed<'ask_holder'>, actor: Actor): Promise<Output<'ask_holder'>> {
    const { message, request_id } = input
    const known = this.desk.answered(actor, request_id)
    const lock = Number(input.id.slice(1))
    const event =
      known === undefined
        ? await this.fact(
            { kind: 'ask-holder', actor, lock, message, requestId: request_id },
            'ask_holder',
          )
        : await this.desk.answerAgain(known, ['holder-asked'])
    const { revision, to } = event as EventOf<'holder-asked'>
    return { ask: `A${revision}`, to }
  }

  async answer(input: Parsed<'answer_ask'>, actor: Actor): Promise<Output<'answer_ask'>> {
    const { answer, estimate_s, message } = input
    const ask = Number(input.ask.slice(1))
    const step = this.desk.run({
      kind: 'answer-ask',
      actor,
      ask,
      answer,
      estimateS: estimate_s,
      message,
    })
    if (step.refusal !== undefined) return this.desk.refused(actor, 'answer_ask', [], step.refusal)
    await this.desk.settledAfter(step)
    return { answered: true, released: step.events.some((one) => one.kind === 'lock-released') }
  }

  async recall(input: Parsed<'recall_lock'>, actor: Actor): Promise<Output<'recall_lock'>> {
    const { reason, grace } = input
    const graceMs = grace === undefined ? undefined : grace * 1000
    const lock = Number(input.id.slice(1))
    await this.fact({ kind: 'recall-lock', actor, lock, reason, graceMs }, 'recall_lock')
    return this.changedAnswer(input.id)
  }

  async extend(input: Parsed<'extend_recall'>, actor: Actor): Promise<Output<'extend_recall'>> {
    const lock = Number(input.id.slice(1))
    await this.fact({ kind: 'extend-recall', actor, lock }, 'extend_recall')
    return this.changedAnswer(input.id)
  }

  private changedAnswer(id: string) {
    const moment = this.desk.moment()
    return { lock: lockFacts(this.desk.lockOf(id), moment), server_time: isoTime(moment.at) }
  }

  /** The first fact of a command about one lock, durable; a refusal is thrown. */
  private async fact(
    command: (AskHolder | RecallLock | ExtendRecall) & { actor: Actor },
    operation: OperationName,
  ): Promise<Event> {
    const step = this.desk.run(command)
    if (step.refusal !== undefined) {
      const paths = this.desk.pathsOf(command.lock)
      return this.desk.refused(command.actor, operation, paths, step.refusal, command.requestId)
    }
    await this.desk.settledAfter(step)
    return step.events[0] as Event
  }
}
