import { Packr } from 'msgpackr'
import { nameWithin } from '../contract/caller.ts'
import type { DoorAnswer, Notice } from '../contract/door.ts'
import { type Problem, problemOf, refuse, SluiceError } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import { newGrantOf } from '../contract/new-grant.ts'
import { type Input, OPERATIONS, type OperationName } from '../contract/operations.ts'
import type {
  ClientMessage,
  Hello,
  ServerMessage,
  WatchInput,
  Welcome,
} from '../contract/socket.ts'
import { TransientMap } from '../contract/transient.ts'
import { illFormedRefusal } from '../contract/well-formed.ts'
import { type Runtime, systemRuntime } from './runtime.ts'
import type { Transport } from './transport.ts'
import { refusedAs } from './words.ts'

/**
 * One socket with many requests under way, that comes back by itself.
 *
 *   connecting ──hello──► open ──lost──► waiting ──► connecting …  ──close()──► closed
 *
 * After a lost connection it resumes its session with the secret and sends unanswered requests again.
 * Commands carry a request id, so one whose answer was lost is not done twice (locks §11).
 */
export class Connection {
  welcome: Welcome | undefined
  private readonly url: string
  private readonly hello: Hello
  private readonly retryMs: number
  private transport: Transport | undefined
  private isOpen = false
  isClosed = false
  /** Calls back when the connection has ended without `close`: what the session held is lost. */
  onEnd: () => void = () => {}
  /** Calls back with what the server tells this session, or one of those who share it, unasked. */
  onNotices: (workspace: string, notices: readonly Notice[], as?: string) => void = () => {}
  readonly runtime: Runtime
  /** Those who share it and have asked for something. */
  readonly callers = new Set<string>()
  private nextId = 1
  private readonly nonce: string
  private readonly pending = new TransientMap<number, Pending>()
  /** Calls that give a lock back, by its workspace and id. */
  private readonly owed = new Map<string, number>()
  private readonly watches = new Map<number, Watch>()
  private outbox: ClientMessage[] = []
  private isFlushing = false
  private attempts = 0
  private giveUpAt = Number.POSITIVE_INFINITY
  private readonly ready: Promise<void>
  private settleReady: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(url: string, hello: Hello, retryMs: number, runtime: Runtime = systemRuntime) {
    this.runtime = runtime
    this.nonce = runtime.random().toString(36).slice(2, 10)
    this.url = `${url.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/socket`
    this.hello = hello
    this.retryMs = retryMs
    this.ready = new Promise((resolve, reject) => {
      this.settleReady = { resolve, reject }
    })
    // Whoever calls first hears of a failure to connect; nobody else has to.
    this.ready.catch(() => {})
    this.giveUpAt = runtime.now() + retryMs
    this.connect()
  }

  /** Resolves when the server has said welcome for the first time. */
  opened(): Promise<void> {
    return this.ready
  }

  call<N extends OperationName>(
    name: N,
    input: Input<N>,
    content?: Uint8Array,
    signal?: AbortSignal,
    as?: string,
  ): Promise<DoorAnswer<N> & { isLarge?: boolean }> {
    if (this.isClosed) return Promise.reject(closedError())
    // The encoding of the socket would take it for something else without a word.
    const ill = illFormedRefusal(input)
    if (ill !== undefined) return Promise.reject(new SluiceError(problemOf(ill)))
    if (as !== undefined) this.callers.add(as)
    const id = this.nextId++
    const isRetried = OPERATIONS[name].kind === 'command'
    const sent =
      isRetried && (input as { request_id?: string }).request_id === undefined
        ? { ...input, request_id: `${this.nonce}-${id}` }
        : input
    const message: CallMessage =
      as !== undefined
        ? ['call', id, name, sent, content, as]
        : content === undefined
          ? ['call', id, name, sent]
          : ['call', id, name, sent, content]
    const answer = new Promise<DoorAnswer<N> & { isLarge?: boolean }>((resolve, reject) => {
      this.pending.set(id, { message, resolve: resolve as Pending['resolve'], reject })
      this.send(message)
    })
    if (signal === undefined) return answer
    // The server gives back what it grants to a call that was given up, also where the answer crosses.
    const onAbort = (): void => {
      const pending = this.pending.get(id)
      if (pending === undefined) return
      pending.isCancelled = true
      this.send(['cancel', id])
      pending.reject(givenUp())
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
    return answer.finally(() => signal.removeEventListener('abort', onAbort))
  }

  /**
   * Gives back what an answer granted that nobody looked at: in the place of this call, and as often as
   * it takes. Resolves when that is done, or cannot be done any more.
   */
  giveBack(workspace: string, lock: string, as?: string): Promise<void> {
    if (this.isClosed) return Promise.resolve()
    const id = this.nextId++
    return new Promise((resolve) => {
      const done = (): void => resolve()
      const message = this.release(id, workspace, lock, as)
      this.pending.set(id, { message, isCancelled: true, resolve: done, reject: done })
      this.send(message)
    })
  }

  /** Pushes events to `onEvents` from `input.since` on, across lost connections. Returns the stop. */
  watch(
    input: WatchInput,
    onEvents: (events: { revision: number }[]) => void,
    onEnd: (error: Error | undefined) => void,
  ): () => void {
    const id = this.nextId++
    this.watches.set(id, { input: { ...input }, onEvents, onEnd })
    this.send(['watch', id, input])
    return () => {
      if (this.watches.delete(id)) this.send(['cancel', id])
    }
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.transport?.close()
    this.failAll(closedError())
  }

  private connect(): void {
    this.runtime.open(this.url).then(
      (transport) => this.begin(transport),
      (error: Error) => this.lost(error.message),
    )
  }

  private begin(transport: Transport): void {
    if (this.isClosed) return transport.close()
    this.transport = transport
    const { welcome } = this
    transport.onOpen = () => {
      const hello: Hello =
        welcome === undefined
          ? this.hello
          : {
              ...this.hello,
              session: nameWithin(welcome.session),
              secret: welcome.secret,
              ...(this.callers.size === 0 ? {} : { callers: [...this.callers] }),
            }
      transport.send(packr.pack([['hello', hello]]))
    }
    transport.onFrame = (frame) => {
      for (const message of packr.unpack(frame) as ServerMessage[]) this.handle(message)
    }
    transport.onClose = (code, reason) => this.lost(`${code} ${reason}`)
  }

  private handle(message: ServerMessage): void {
    const what = message[0]
    // A newer server may say more than is known here.
    if (Object.hasOwn(this.handlers, what)) (this.handlers[what] as Handler)(message)
  }

  private readonly handlers: { [K in ServerMessage[0]]: Handler<MessageOf<K>> } = {
    welcome: ([, welcome]) => this.welcomed(welcome),
    notices: ([, workspace, notices, as]) => this.onNotices(workspace, notices, as),
    watching: ([, id, since]) => {
      const watch = this.watches.get(id)
      if (watch !== undefined) watch.input.since = since
    },
    events: ([, id, given]) => {
      const events = given as { revision: number }[]
      const watch = this.watches.get(id)
      if (watch === undefined) return
      // Where to go on after a lost connection.
      watch.input.since = (events.at(-1) as { revision: number }).revision
      watch.onEvents(events)
    },
    ended: ([, id]) => this.watchEnded(id, undefined),
    refused: (message) => {
      const [, id, problem] = message
      if (id === 0) return this.refusedEntry(problem as Problem)
      if (this.watches.has(id)) return this.watchEnded(id, refusedAs(problem as Problem))
      this.settled(message)?.reject(refusedAs(problem as Problem))
    },
    done: (message) => {
      const value = message[2]
      const revision = message[3]
      const content = message[4]
      this.settled(message)?.resolve(
        content === undefined ? { value, revision } : { value, revision, content },
      )
    },
    large: (message) => {
      const [, , value, revision] = message
      this.settled(message)?.resolve({ value, revision, isLarge: true })
    },
  }

  private watchEnded(id: number, error: Error | undefined): void {
    const watch = this.watches.get(id)
    this.watches.delete(id)
    watch?.onEnd(error)
  }

  /** Whose answer this is, if there is somebody who looks at it. */
  private settled(answer: MessageOf<'done' | 'large' | 'refused'>): Pending | undefined {
    const id = answer[1]
    const pending = this.pending.get(id)
    if (pending === undefined) return undefined
    if (pending.isCancelled === true) {
      this.crossed(id, pending, answer)
      return undefined
    }
    this.pending.delete(id)
    if (this.owed.size > 0 && answer[0] !== 'refused') this.named(pending, answer[2])
    return pending
  }

  /**
   * An answer that crossed its cancel: the server gives back what it granted. Where the cancel or what
   * came of it is lost with a connection or a server, this does: in the place of the call, so that it
   * comes before whatever was asked since.
   */
  private crossed(id: number, pending: Pending, answer: ServerMessage): void {
    const { message } = pending
    const isLater = answer[0] === 'refused' && (answer[2] as Problem).retry === 'after'
    if (isLater && message[2] === 'release_lock') {
      const again = (): void => {
        if (this.pending.has(id)) this.send(message)
      }
      this.runtime.after(GIVE_BACK_AGAIN_MS, again, false)
      return
    }
    const lock = answer[0] === 'done' ? newGrantOf(answer[2]) : undefined
    if (lock === undefined) return this.gaveBack(id, pending)
    pending.message = this.release(id, workspaceOf(message), lock, message[5])
    this.send(pending.message)
  }

  private release(
    id: number,
    workspace: string,
    lock: string,
    as: string | undefined,
  ): CallMessage {
    this.owed.set(`${workspace} ${lock}`, id)
    const input = { workspace, id: lock }
    return as === undefined
      ? ['call', id, 'release_lock', input]
      : ['call', id, 'release_lock', input, undefined, as]
  }

  private gaveBack(id: number, { message, resolve }: Pending): void {
    this.pending.delete(id)
    const { id: lock } = message[3] as { id?: unknown }
    if (message[2] === 'release_lock') this.owed.delete(`${workspaceOf(message)} ${String(lock)}`)
    resolve({ value: undefined, revision: 0 })
  }

  /** An answer names a lock that is on its way back: its caller has been told of it anew, and has it. */
  private named({ message }: Pending, value: unknown): void {
    const told = (value as { lock?: { id?: unknown } } | null)?.lock?.id
    const id = this.owed.get(`${workspaceOf(message)} ${String(told)}`)
    const pending = id === undefined ? undefined : this.pending.get(id)
    if (id !== undefined && pending !== undefined) this.gaveBack(id, pending)
  }

  private welcomed(welcome: Welcome): void {
    this.welcome = welcome
    this.isOpen = true
    this.attempts = 0
    this.giveUpAt = Number.POSITIVE_INFINITY
    this.outbox = []
    // In the order they were asked, before anything new.
    for (const { message, isCancelled } of this.pending.values()) {
      this.outbox.push(message)
      if (isCancelled === true) this.outbox.push(['cancel', message[1] as number])
    }
    for (const [id, { input }] of this.watches) this.outbox.push(['watch', id, input])
    this.flush()
    this.settleReady?.resolve()
    this.settleReady = undefined
  }

  /** The server does not let this client in (again): no use trying on. */
  private refusedEntry(problem: Problem): void {
    this.isClosed = true
    this.transport?.close()
    this.onEnd()
    this.failAll(refusedAs(problem))
  }

  private lost(why: string): void {
    if (this.isClosed) return
    this.isOpen = false
    this.transport = undefined
    const now = this.runtime.now()
    if (this.giveUpAt === Number.POSITIVE_INFINITY) this.giveUpAt = now + this.retryMs
    if (now >= this.giveUpAt) {
      this.isClosed = true
      this.onEnd()
      const detail = `No connection to ${this.url} (${why.trim()}). Is the server running?`
      this.failAll(new SluiceError(problemOf(refuse('overloaded', detail))))
      return
    }
    const delayMs = Math.min(2000, 25 * 2 ** this.attempts) * (0.5 + this.runtime.random() / 2)
    this.attempts += 1
    this.runtime.after(delayMs, () => this.connect(), true)
  }

  private failAll(error: Error): void {
    this.settleReady?.reject(error)
    this.settleReady = undefined
    for (const { reject } of this.pending.values()) reject(error)
    this.pending.clear()
    this.owed.clear()
    for (const { onEnd } of this.watches.values()) onEnd(error)
    this.watches.clear()
  }

  private send(message: ClientMessage): void {
    if (!this.isOpen) return
    this.outbox.push(message)
    if (this.isFlushing) return
    this.isFlushing = true
    // What is asked in one turn travels in one frame: a write costs more than a call. Whoever asks
    // alone does not wait for that turn to end.
    if (this.pending.size > 1) this.runtime.soon(() => this.flush())
    else queueMicrotask(() => this.flush())
  }

  private flush(): void {
    this.isFlushing = false
    if (this.outbox.length === 0 || !this.isOpen) return
    const messages = this.outbox
    this.outbox = []
    this.sendFrames(messages)
  }

  /** As few frames as the limit allows: the server ends a connection that sends a larger one. */
  private sendFrames(messages: ClientMessage[]): void {
    const frame = packr.pack(messages)
    if (frame.length <= LIMITS.socketFrameBytes) return this.transport?.send(frame)
    const [first] = messages
    if (messages.length === 1 && first !== undefined)
      return this.refuseTooLarge(first, frame.length)
    const half = Math.ceil(messages.length / 2)
    this.sendFrames(messages.slice(0, half))
    this.sendFrames(messages.slice(half))
  }

  private refuseTooLarge(message: ClientMessage, bytes: number): void {
    const id = message[1] as number
    const pending = this.pending.get(id)
    this.pending.delete(id)
    const detail = `The call has ${bytes} bytes; at most ${LIMITS.socketFrameBytes} go in one.`
    pending?.reject(new SluiceError(problemOf(refuse('too_large', detail))))
  }
}

const packr = new Packr({ useRecords: false })

const GIVE_BACK_AGAIN_MS = 1000

type MessageOf<K> = Extract<ServerMessage, [K, ...unknown[]]>
type Handler<M = ServerMessage> = (message: M) => void
type CallMessage = Extract<ClientMessage, ['call', ...unknown[]]>

function workspaceOf(message: CallMessage): string {
  return (message[3] as { workspace?: string }).workspace ?? 'main'
}

interface Pending {
  message: CallMessage
  isCancelled?: boolean
  resolve: (answer: {
    value: unknown
    revision: number
    content?: Uint8Array
    isLarge?: boolean
  }) => void
  reject: (error: Error) => void
}

interface Watch {
  input: WatchInput
  onEvents: (events: { revision: number }[]) => void
  onEnd: (error: Error | undefined) => void
}

function givenUp(): SluiceError {
  const detail = 'You gave up waiting, so the place in the queue is given up too.'
  return new SluiceError(problemOf(refuse('ticket_gone', detail)))
}

function closedError(): SluiceError {
  return new SluiceError(problemOf(refuse('overloaded', 'This connection was closed.')))
}
