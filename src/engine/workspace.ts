import { fail, problemOf, refuse, SluiceError } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import { OPERATIONS, type OperationName, type Parsed } from '../contract/operations.ts'
import type { Actor, EndSession, SetWorkspace } from '../core/command.ts'
import type { Owner } from '../core/lock/table.ts'
import type { Blobs } from '../store/blobs.ts'
import type { EditThread } from '../text/edit-thread.ts'
import type { Answer, Content } from './api.ts'
import { queryAudit, verifyAudit } from './audit/audit.ts'
import type { Clock } from './clock.ts'
import { Desk } from './desk.ts'
import { FileCalls } from './file/file-calls.ts'
import { FileReads } from './file/file-reads.ts'
import { getEntry, getHistory, listLocks, readerOf, workspaceStatus } from './file/query.ts'
import { HoldCalls } from './lock/hold-calls.ts'
import { lockFacts } from './lock/lock-answers.ts'
import { LockCalls } from './lock/lock-calls.ts'
import type { NoticeBoard } from './session/notice-board.ts'
import { storageRefusal } from './stream/storage-refusal.ts'
import { type Stream, StreamFailed } from './stream/stream.ts'

/** What a workspace asks of the server around it. */
export interface Outside {
  board: NoticeBoard
  /** What a session said of itself. */
  about: (session: string) => Record<string, string> | undefined
  /** The open session that `agent` or `agent:session` means, with its rights; throws otherwise. */
  sessionFor: (to: string) => Actor
  /** Edits of texts, off the thread that decides. */
  texts: EditThread
  /** Whom a session acts as; undefined when it is over. */
  actorOf: (session: string) => Actor | undefined
  /** Its connection is lost for good. */
  isGone: (session: string) => boolean
}

/**
 * One workspace at work: which operation goes where.
 *
 * An answer leaves only when what it says is durable: a fact's own sync, or for refusals and reads the
 * sync of whatever they were decided on.
 */
export class Workspace {
  readonly stream: Stream
  private readonly desk: Desk
  private readonly locks: LockCalls
  private readonly holds: HoldCalls
  private readonly files: FileCalls
  private readonly reads: FileReads
  private readonly clock: Clock
  private readonly outside: Outside
  private stopTimer: () => void = () => {}
  private isClosed = false

  constructor(stream: Stream, blobs: Blobs, clock: Clock, secret: Uint8Array, outside: Outside) {
    this.stream = stream
    this.clock = clock
    this.outside = outside
    this.desk = new Desk(stream, clock, secret, outside)
    this.files = new FileCalls(this.desk, blobs, outside.texts)
    this.reads = new FileReads(this.desk, blobs)
    this.locks = new LockCalls(this.desk, blobs)
    this.holds = new HoldCalls(this.desk, outside)
    this.tick()
  }

  private tick(): void {
    if (this.isClosed) return
    this.stopTimer = this.clock.after(TICK_MS, () => this.tick())
    this.sweepLate()
  }

  /**
   * A server that stood still finds its timers due before it has read what arrived meanwhile. Whoever
   * was heard in time is read first: a lock is never lost to a stall of the server.
   */
  private sweepLate(): void {
    const { clock, desk } = this
    clock.soon(() =>
      clock.soon(() => {
        if (!this.isClosed) desk.sweep(clock.now())
      }),
    )
  }

  /** The session ended somewhere else: its locks and tickets go, and the next in line are granted. */
  async endSession(session: string, reason: EndSession['reason']): Promise<void> {
    const ended = this.desk.endSession(session, reason)
    this.desk.seen.forget(session)
    this.desk.leases.forgetSession(session)
    await ended
  }

  async set(command: SetWorkspace): Promise<void> {
    const step = this.desk.run(command)
    if (step.refusal !== undefined)
      await this.desk.refused(command.actor, 'put_workspace', [], step.refusal)
    await this.stream.settled(this.stream.lastFact)
  }

  holdsAnything(session: string): boolean {
    const owner = this.stream.state.locks.owners.get(session)
    return owner !== undefined && (owner.locks.size > 0 || owner.tickets.size > 0)
  }

  ownerOfLock(id: string | undefined): Owner | undefined {
    return id === undefined ? undefined : this.stream.state.locks.locks.get(numberOf(id))?.owner
  }

  /** Of a request that waits, or was granted and is held. */
  ownerOfTicket(id: string | undefined): Owner | undefined {
    if (id === undefined) return undefined
    const { tickets, byTicket } = this.stream.state.locks
    return (tickets.get(numberOf(id)) ?? byTicket.get(numberOf(id)))?.owner
  }

  /** Who is asked. */
  ownerOfAsk(id: string | undefined): Owner | undefined {
    const ask = id === undefined ? undefined : this.stream.state.asks.get(numberOf(id))
    return ask && this.stream.state.locks.owners.get(ask.to.session)
  }

  isTokenOf(token: string, id: string | undefined): boolean {
    return id !== undefined && this.desk.tokens.verify(token) === numberOf(id)
  }

  giveBack(actor: Actor, lock: string): void {
    this.locks.giveBack(actor, numberOf(lock))
  }

  /** No async function on purpose: the hot calls pay for every promise on their way. */
  call<N extends OperationName>(
    operation: N,
    input: Parsed<N>,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Answer<N>> {
    this.desk.leases.heard(actor.session, this.clock.now())
    if (this.stream.fault !== undefined && OPERATIONS[operation].kind === 'query') {
      const again = () => this.call(operation, input, actor, content, signal)
      return this.stream.recovered().then(again).catch(this.translate)
    }
    if (this.stream.backlog > LIMITS.pendingCommands) return Promise.reject(overloaded())
    const answer =
      OPERATIONS[operation].content === 'out'
        ? this.contentOf(operation, input as never, actor).then(this.complete)
        : this.dispatch(operation, input as never, actor, content, signal).then(this.answerOf)
    return answer.catch(this.translate) as Promise<Answer<N>>
  }

  private contentOf(operation: OperationName, input: never, actor: Actor) {
    return operation === 'read_draft'
      ? this.reads.readDraft(input, actor)
      : this.reads.read(input, actor)
  }

  private readonly answerOf = (value: unknown) => ({ value, revision: this.stream.durable })
  private readonly complete = (answer: { value: unknown; content: Content }) => ({
    ...answer,
    revision: this.stream.durable,
  })
  private readonly translate = (error: unknown): never => {
    throw storageRefusal(error)
  }

  private dispatch(
    operation: OperationName,
    input: never,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    switch (operation) {
      case 'acquire_lock':
        return this.locks.acquire(input, actor, signal)
      case 'wait_for_lock':
        return this.locks.waitForLock(input, actor, signal)
      case 'release_lock':
        return this.locks.release(input, actor)
      case 'release_all_locks':
        return this.locks.releaseAll(actor)
      case 'leave_queue':
        return this.locks.leaveQueue(input, actor)
      case 'renew_lock':
        return this.locks.renew(input, actor)
      case 'change_lock':
        return this.locks.change(input, actor, signal)
      case 'handover_lock':
        return this.holds.handOver(input, actor)
      case 'ask_holder':
        return this.holds.ask(input, actor)
      case 'answer_ask':
        return this.holds.answer(input, actor)
      case 'recall_lock':
        return this.holds.recall(input, actor)
      case 'extend_recall':
        return this.holds.extend(input, actor)
      case 'read_text':
        return this.reads.readText(input, actor)
      case 'write_file':
        return this.files.write(input, actor, content)
      case 'patch_file':
        return this.files.patch(input, actor)
      case 'delete_file':
        return this.files.delete(input, actor)
      case 'commit':
        return this.files.commit(input, actor)
      default:
        return this.query(operation, input, actor)
    }
  }

  private async query(operation: OperationName, input: never, actor: Actor): Promise<unknown> {
    const reader = readerOf(this.desk, actor)
    // Nothing is shown that could still be lost.
    await this.stream.settled(this.stream.lastFact)
    switch (operation) {
      case 'get_entry':
        return this.desk.audited(actor, operation, input, () => getEntry(reader, input))
      case 'get_history':
        return this.desk.audited(actor, operation, input, () => getHistory(reader, input))
      case 'list_locks':
        return listLocks(reader, input, this.desk.statistics)
      case 'get_lock':
        return {
          lock: lockFacts(this.desk.lockOf((input as Parsed<'get_lock'>).id), reader.moment),
        }
      case 'workspace_status':
        return workspaceStatus(reader, this.outside.board)
      case 'query_audit':
        return queryAudit(this.stream, actor, input, this.outside.about)
      case 'verify_audit':
        if (actor.role === 'agent') fail('forbidden', 'Only supervisors may verify the audit.')
        return verifyAudit(this.stream)
      default:
        throw new Error(`The operation ${operation} is not one of a workspace.`)
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.stopTimer()
    this.desk.waits.wakeAll()
    try {
      this.desk.recordCounted(Number.POSITIVE_INFINITY)
    } catch (error) {
      // A disk without room has none for the last counts of refusals either.
      if (!(error instanceof StreamFailed)) throw error
    }
    await this.stream.close()
  }
}

/** How finely time is looked at: a lock ends at most this much after its TTL. */
const TICK_MS = 200

function numberOf(id: string): number {
  return Number(id.slice(1))
}

function overloaded(): SluiceError {
  const detail = 'Too many commands wait for the disk. Try again in a second.'
  return new SluiceError(problemOf(refuse('overloaded', detail, { retry_after_s: 1 })))
}
