import { fail } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import type { OperationName } from '../contract/operations.ts'
import type { Owner } from '../core/lock/table.ts'
import { askingOf } from './admission.ts'
import { auditing } from './audit/audit.ts'
import type { Call } from './call.ts'
import { reading } from './file/reading.ts'
import { Writing } from './file/writing.ts'
import type { Handler, Handlers, Reader } from './handler.ts'
import { Acquiring } from './lock/acquiring.ts'
import { Cancellations } from './lock/cancellation.ts'
import { holding } from './lock/holding.ts'
import { numberOf, pathsNamed } from './lock/named.ts'
import type { Service } from './perform.ts'
import { workspaceStatus } from './session/status.ts'
import type { Stream } from './stream/stream.ts'
import { StreamFailed } from './stream/stream-failed.ts'
import type { TreeContext } from './working-tree.ts'
import { type Outside, WorkspaceContext } from './workspace-context.ts'

/** One workspace at work: its operations, and the clockwork that ends what is over. */
export class Workspace implements Service {
  readonly context: WorkspaceContext
  private readonly handlers: Handlers<'workspace' | 'stream'>
  private readonly cancellations: Cancellations
  private stopTimer: () => void = () => {}
  private isClosed = false

  constructor(stream: Stream, outside: Outside) {
    const context = new WorkspaceContext(stream, outside)
    this.context = context
    this.cancellations = new Cancellations(context)
    this.handlers = {
      ...new Acquiring(context, this.cancellations).handlers,
      ...holding(context),
      ...new Writing(context).handlers,
      ...reading(context),
      ...auditing(stream, outside.about),
      workspace_status: {
        read: (reader) => workspaceStatus(reader, outside.board, stream.durable, context.tree),
      },
    }
    this.tick()
  }

  /** Resolves when calls can be answered. */
  open(): Promise<void> | undefined {
    const { context } = this
    const { stream, decider, followers, clock, outside } = context
    const { blobs } = outside
    const tell: TreeContext['tell'] = (session, notice) => context.tell(session, notice)
    return context.tree?.open({ stream, decider, followers, clock, blobs, tell })
  }

  get stream(): Stream {
    return this.context.stream
  }

  get revision(): number {
    return this.stream.durable
  }

  get decider() {
    return this.context.decider
  }

  handlerOf<N extends OperationName>(operation: N): Handler<N> {
    return this.handlers[operation as keyof typeof this.handlers] as unknown as Handler<N>
  }

  reader({ actor }: Call, stateOf: Reader['stateOf']): Reader {
    return { state: this.stream.state, actor, moment: this.context.moment(), stateOf }
  }

  admit(call: Call): Promise<void> | undefined {
    if (this.stream.backlog <= LIMITS.pendingCommands) {
      const admitted = this.context.outside.admit(askingOf(call, this.stream.name))
      const { tree } = this.context
      if (tree === undefined) return admitted
      return admitted === undefined ? tree.ready(call) : admitted.then(() => tree.ready(call))
    }
    fail('overloaded', 'Too many commands wait for the disk. Try again in a second.', {
      retry_after_s: 1,
    })
  }

  pathsOf(call: Call): string[] {
    return pathsNamed(call, this.stream.state)
  }

  private tick(): void {
    if (this.isClosed) return
    this.stopTimer = this.context.clock.after(TICK_MS, () => this.tick())
    this.sweepLate()
  }

  /**
   * A server that stood still finds its timers due before it has read what arrived meanwhile. Whoever
   * was heard in time is read first: a lock is never lost to a stall of the server.
   */
  private sweepLate(): void {
    const { context } = this
    const { clock } = context
    clock.soon(() =>
      clock.soon(() => {
        if (!this.isClosed) context.sweep(clock.now())
      }),
    )
  }

  holdsAnything(session: string): boolean {
    const owner = this.stream.state.locks.owners.get(session)
    return owner !== undefined && (owner.locks.size > 0 || owner.tickets.size > 0)
  }

  /** Of a lock that is held, or was lately. */
  ownerOfLock(id: string | undefined): { owner: Owner; isHeld: boolean } | undefined {
    if (id === undefined) return undefined
    const { locks, ended } = this.stream.state.locks
    const held = locks.get(numberOf(id))
    const lock = held ?? ended.get(numberOf(id))?.lock
    return lock && { owner: lock.owner, isHeld: held !== undefined }
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
    return id !== undefined && this.context.tokens.verify(token) === numberOf(id)
  }

  /** What was granted to a call whose caller did not look at the answer. */
  giveBack(actor: Call['actor'], lock: string): void {
    this.cancellations.giveBack(actor, { lock: numberOf(lock) })
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.stopTimer()
    this.context.waits.wakeAll()
    await this.context.tree?.close()
    await this.context.followers.finish()
    try {
      this.decider.recordCounted(Number.POSITIVE_INFINITY)
    } catch (error) {
      // A disk without room has none for the last counts of refusals either.
      if (!(error instanceof StreamFailed)) throw error
    }
    await this.stream.close()
  }
}

/** How finely time is looked at: a lock ends at most this much after its TTL. */
const TICK_MS = 200
