import { Packr } from 'msgpackr'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import { cutText } from '../../contract/cut-text.ts'
import type { Notice } from '../../contract/door.ts'
import {
  fail,
  type Problem,
  problemOf,
  type Refusal,
  refuse,
  SluiceError,
} from '../../contract/errors.ts'
import { EVENT_KINDS, type EventKind } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { newGrantOf } from '../../contract/new-grant.ts'
import { name, path, workspace } from '../../contract/operation/fields.ts'
import { OPERATION_NAMES, OPERATIONS, type OperationName } from '../../contract/operations.ts'
import { parseAs, parseInput } from '../../contract/parse.ts'
import {
  type ClientMessage,
  type ServerMessage,
  SOCKET_CONTENT_BYTES,
} from '../../contract/socket.ts'
import { TransientMap } from '../../contract/transient.ts'
import { VERSION } from '../../contract/version.ts'
import {
  type Answer,
  type Caller,
  CONNECTION_LOST,
  type Content,
  type EngineApi,
  type Request,
} from '../../engine/api.ts'
import { Cancel } from './cancel.ts'
import { type EventLoop, systemEventLoop } from './event-loop.ts'

/**
 * One client on one socket: reads frames, calls, gathers answers into frames. A client that does not
 * read what it asked for is cut off at `LIMITS.socketSendQueueBytes`; nothing waits for it.
 */
export class Peer {
  private readonly socket: ServerSocket
  private readonly engine: EngineApi
  private readonly refuseToken: () => Refusal
  private caller: Caller | undefined
  private isGreeting = false
  private isResumed = false
  private disconnect: () => void = () => {}
  /** Who of this connection is told what it should know; by `as`. */
  private readonly heard = new Map<string | undefined, () => void>()
  private outbox: ServerMessage[] = []
  private isFlushing = false
  private inFlight = 0
  private readonly cancels = new TransientMap<number, Cancel | AbortController>()
  /** Calls that were answered with a lock, the newest by their ids: their cancel may be on its way. */
  private readonly granted: (Grant | undefined)[] = []
  private readonly turns: EventLoop
  private readonly cancelGreeting: () => void

  /** @param refuseToken what an unknown token is answered */
  constructor(
    socket: ServerSocket,
    engine: EngineApi,
    refuseToken: () => Refusal,
    turns: EventLoop = systemEventLoop,
  ) {
    this.turns = turns
    this.refuseToken = refuseToken
    this.socket = socket
    this.engine = engine
    this.cancelGreeting = turns.after(HELLO_MS, () => socket.close(4401, 'no hello'))
    socket.binaryType = 'nodebuffer'
    socket.on('message', (data, isBinary) => this.received(data as Buffer, isBinary))
    socket.on('close', () => this.closed())
    // A broken frame ends the connection; there is nobody left to tell.
    socket.on('error', () => {})
  }

  private received(data: Buffer, isBinary: boolean): void {
    const messages = isBinary ? unpackArray(data) : undefined
    if (messages === undefined) {
      this.socket.close(4400, 'a frame is one MessagePack array of messages')
      return
    }
    try {
      for (const message of messages) this.handle(message)
    } catch (error) {
      // Whatever it was: one client's frame ends one client's connection.
      this.engine.failed(error)
      this.socket.close(4400, 'that frame could not be handled')
    }
  }

  private handle(message: unknown): void {
    if (!Array.isArray(message)) {
      this.socket.close(4400, 'a message is an array')
      return
    }
    const [what, id] = message as unknown[]
    if (what === 'hello') {
      this.greet(message[1])
      return
    }
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
      this.socket.close(4400, 'a message has a whole number as id')
      return
    }
    if (this.caller === undefined) {
      this.refuse(id, problemOf(refuse('unauthenticated', 'Say hello with a token first.')))
    } else if (typeof what === 'string' && Object.hasOwn(this.requests, what)) {
      this.requests[what as RequestKind](this.caller, id, message)
    } else {
      const kinds = ['hello', ...Object.keys(this.requests)].join(', ')
      this.refuse(id, problemOf(refuse('invalid_request', `Messages are ${kinds}.`)))
    }
  }

  /** What a client may ask for once it is known. */
  private readonly requests: {
    [K in RequestKind]: (caller: Caller, id: number, message: unknown[]) => void
  } = {
    call: (caller, id, [, , operation, input, content, as]) =>
      this.call(caller, id, operation, input, content, as),
    watch: (caller, id, [, , query]) => this.watch(caller, id, query),
    cancel: (_caller, id) => this.cancel(id),
  }

  private greet(raw: unknown): void {
    const hello = helloSchema.safeParse(raw)
    if (!hello.success || this.isGreeting) {
      this.socket.close(4400, 'hello is said once, with a token')
      return
    }
    this.isGreeting = true
    this.cancelGreeting()
    this.welcome(hello.data).catch((error: unknown) => {
      const problem = this.problemFrom(error)
      this.send(['refused', 0, problem])
      this.flush()
      this.socket.close(problem.status === 401 ? 4401 : 4403, problem.code)
    })
  }

  private async welcome(hello: z.infer<typeof helloSchema>): Promise<void> {
    const { token, session, secret, agent, ttl, about, callers } = hello
    const principal = this.engine.authenticate(token)
    if (principal === undefined) {
      throw new SluiceError(problemOf(this.refuseToken()))
    }
    const own = await this.engine.callerOf(principal)
    const isNamed = session !== undefined && secret === undefined && agent === undefined
    // A session that is only named is opened or joined; principals share none, so this is safe.
    if (isNamed) await this.engine.callerOf(principal, { session })
    const input = parseInput('open_session', {
      ...(session === undefined ? {} : { name: session }),
      ...(secret === undefined ? {} : { secret }),
      ...(agent === undefined ? {} : { agent }),
      ...(ttl === undefined ? {} : { ttl }),
      ...(about === undefined ? {} : { about }),
      // Of a name that was made up nobody knows but this connection.
      ...(session === undefined ? { tied: true } : {}),
    })
    if (!input.ok) throw new SluiceError(problemOf(input.refusal))
    const opened = isNamed
      ? await this.engine.join(own, `${principal.name}:${session}`)
      : (await this.engine.call({ operation: 'open_session', input: input.input, caller: own }))
          .value
    this.caller = await this.engine.callerOf(
      agent === undefined ? principal : { name: agent, role: principal.role },
      { session: opened.id },
    )
    if (this.socket.readyState !== this.socket.OPEN) return
    const { id, secret: resume, resumed } = opened
    this.send([
      'welcome',
      { session: id, secret: resume, agent: opened.agent, resumed, version: VERSION },
    ])
    const leave = this.engine.connect(this.caller)
    this.isResumed = resumed
    this.hear(this.caller, undefined)
    this.disconnect = () => {
      for (const unhear of this.heard.values()) unhear()
      leave()
    }
    await this.hearAll(this.caller, callers ?? [])
  }

  /** Tells what a caller of this connection should know, from now on. */
  private hear(caller: Caller, as: string | undefined): void {
    this.heard.get(as)?.()
    const tell = (workspace: string, notices: readonly Notice[]): void =>
      this.send(
        as === undefined
          ? ['notices', workspace, [...notices]]
          : ['notices', workspace, [...notices], as],
      )
    const unhear = this.engine.onNotice(caller, tell, this.isResumed)
    this.heard.set(as, unhear)
  }

  /** Those who shared the lost connection need not ask for anything before they are told. */
  private async hearAll(caller: Caller, callers: readonly string[]): Promise<void> {
    for (const as of callers) {
      if (this.socket.readyState !== this.socket.OPEN) return
      // One that cannot be had now is heard from its next call on.
      await this.callerAs(caller, as).catch(() => {})
    }
  }

  /** The caller of a call: the session itself, or one of those who share it. */
  private async callerAs(caller: Caller, as: string): Promise<Caller> {
    if (!this.heard.has(as) && this.heard.size > LIMITS.callersPerConnection) {
      fail(
        'too_many',
        `${LIMITS.callersPerConnection} callers share this connection. Open another.`,
      )
    }
    const found = await this.engine.callerAs(caller, as)
    const isOpen = this.socket.readyState === this.socket.OPEN
    if (isOpen && !this.heard.has(as)) this.hear(found, as)
    return found
  }

  private call(
    caller: Caller,
    id: number,
    operation: unknown,
    raw: unknown,
    content: unknown,
    as: unknown,
  ): void {
    if (typeof operation !== 'string' || !Object.hasOwn(OPERATIONS, operation)) {
      return this.refuse(
        id,
        problemOf(refuse('invalid_request', `There is no operation ${nameIn(operation)}.`)),
      )
    }
    if (this.inFlight >= LIMITS.socketRequestsInFlight) {
      const limit = LIMITS.socketRequestsInFlight
      return this.refuse(
        id,
        problemOf(
          refuse('too_many', `${limit} requests are under way on this connection. Wait for some.`, {
            limit_value: limit,
          }),
        ),
      )
    }
    if (as !== undefined && as !== null && typeof as !== 'string') {
      return this.refuse(
        id,
        problemOf(refuse('invalid_request', '"as" is a name, 1 to 64 of A–Z a–z 0–9 . _ -')),
      )
    }
    if (content !== undefined && content !== null && !(content instanceof Uint8Array)) {
      return this.refuse(
        id,
        problemOf(refuse('invalid_request', 'The content of a call is bytes.')),
      )
    }
    const parsed = parseInput(operation as OperationName, raw)
    if (!parsed.ok) return this.refuse(id, problemOf(parsed.refusal))
    this.inFlight += 1
    const cancel = WAITING.has(operation) ? new Cancel() : undefined
    if (cancel !== undefined) this.cancels.set(id, cancel)
    const request: Request<OperationName> = {
      operation: operation as OperationName,
      input: parsed.input,
      caller,
      content: content ?? undefined,
      signal: cancel,
    }
    void this.answered(id, request, as ?? undefined)
  }

  /** Calls and answers, whatever comes of it. */
  private async answered(
    id: number,
    request: Request<OperationName>,
    as: string | undefined,
  ): Promise<void> {
    try {
      if (as !== undefined) request.caller = await this.callerAs(request.caller, as)
      const answer = await this.engine.call(request)
      if (request.signal !== undefined) this.noteGrant(id, request, answer.value)
      const sent = this.answer(id, answer)
      if (sent !== undefined) await sent
    } catch (error) {
      this.refuse(id, this.problemFrom(error))
    }
    this.inFlight -= 1
    this.cancels.delete(id)
  }

  /** Nothing to wait for where no content comes along. */
  private answer(id: number, answer: Answer<OperationName>): Promise<void> | undefined {
    const { value, revision, content } = answer
    if (content !== undefined) return this.answerWith(id, answer, content)
    this.send(['done', id, value, revision])
    return undefined
  }

  private async answerWith(
    id: number,
    { value, revision }: Answer<OperationName>,
    content: Content,
  ): Promise<void> {
    if (content.size > SOCKET_CONTENT_BYTES) return this.send(['large', id, value, revision])
    if (content.bytes !== undefined) {
      return this.send(['done', id, value, revision, content.bytes])
    }
    const parts: Uint8Array[] = []
    for await (const part of content.stream()) parts.push(part)
    this.send(['done', id, value, revision, Buffer.concat(parts)])
  }

  /** Who gives up does not look at an answer that crossed it: what that granted goes back. */
  private cancel(id: number): void {
    const underWay = this.cancels.get(id)
    if (underWay !== undefined) return underWay.abort()
    const crossed = this.granted[id % GRANTS_REMEMBERED]
    if (crossed?.call !== id) return
    this.engine.giveBack(crossed.caller, crossed.workspace, crossed.lock)
  }

  private noteGrant(id: number, { caller, input }: Request<OperationName>, value: unknown): void {
    const lock = newGrantOf(value)
    if (lock === undefined) return
    const { workspace } = input as { workspace: string }
    this.granted[id % GRANTS_REMEMBERED] = { call: id, caller, workspace, lock }
  }

  private watch(caller: Caller, id: number, raw: unknown): void {
    const query = parseAs(watchSchema, raw)
    if (!query.ok) return this.refuse(id, problemOf(query.refusal))
    if (this.cancels.size >= LIMITS.socketRequestsInFlight || this.cancels.has(id)) {
      return this.refuse(
        id,
        problemOf(refuse('too_many', 'Too many watches, or this id is in use.')),
      )
    }
    const cancel = new AbortController()
    this.cancels.set(id, cancel)
    this.push(caller, id, query.input, cancel)
      .then(() => this.send(['ended', id]))
      .catch((error: unknown) => this.refuse(id, this.problemFrom(error)))
      .finally(() => this.cancels.delete(id))
  }

  private async push(
    caller: Caller,
    id: number,
    query: z.infer<typeof watchSchema>,
    cancel: AbortController,
  ): Promise<void> {
    const since = query.since ?? this.engine.revision(query.workspace) ?? 0
    const { workspace: of, path: below, kinds } = query
    this.send(['watching', id, since])
    const events = this.engine.watch(caller, {
      workspace: of,
      since,
      signal: cancel.signal,
      ...(below === undefined ? {} : { path: below }),
      ...(kinds === undefined ? {} : { kinds }),
    })
    for await (const batch of events) {
      this.send(['events', id, batch])
      this.flush()
      // Whoever reads slowly gets its events slowly, from the ledger; nothing piles up here.
      const stalledAt = this.turns.now() + LIMITS.stalledMs
      while (this.socket.bufferedAmount > WATCH_BUFFER_BYTES && !cancel.signal.aborted) {
        if (this.turns.now() > stalledAt) return this.socket.terminate()
        await new Promise<void>((resolve) => this.turns.after(20, resolve))
      }
    }
  }

  private refuse(id: number, problem: Problem): void {
    this.send(['refused', id, problem])
  }

  private send(message: ServerMessage): void {
    this.outbox.push(message)
    if (this.isFlushing) return
    this.isFlushing = true
    // Answers of one batch become ready together and leave in one frame; a lone one leaves at once.
    if (this.inFlight > 1) this.turns.soon(() => this.flush())
    else queueMicrotask(() => this.flush())
  }

  private flush(): void {
    this.isFlushing = false
    if (this.outbox.length === 0 || this.socket.readyState !== this.socket.OPEN) {
      this.outbox = []
      return
    }
    const messages = this.outbox
    this.outbox = []
    this.socket.send(packr.pack(messages))
    if (this.socket.bufferedAmount > LIMITS.socketSendQueueBytes) this.socket.terminate()
  }

  private problemFrom(error: unknown): Problem {
    if (error instanceof SluiceError) return error.problem
    return this.engine.failed(error)
  }

  private closed(): void {
    this.cancelGreeting()
    for (const cancel of this.cancels.values()) cancel.abort(CONNECTION_LOST)
    this.disconnect()
  }
}

/** The part of a WebSocket that a connection uses. */
export type ServerSocket = Pick<
  WebSocket,
  'binaryType' | 'bufferedAmount' | 'close' | 'on' | 'OPEN' | 'readyState' | 'send' | 'terminate'
>

interface Grant {
  call: number
  caller: Caller
  workspace: string
  lock: string
}

/** What a client gave as a name; it may be anything that MessagePack can say. */
function nameIn(value: unknown): string {
  return typeof value === 'string' ? cutText(value, 64).toWellFormed() : `of type ${typeof value}`
}

type RequestKind = Exclude<ClientMessage[0], 'hello'>

/** Calls that a client may give up while they wait. */
const WAITING: ReadonlySet<string> = new Set(
  OPERATION_NAMES.filter((name) => 'wait' in OPERATIONS[name].input.shape),
)
const HELLO_MS = 10_000
/** Many more than are answered while a cancel is on its way. */
const GRANTS_REMEMBERED = 1024
const WATCH_BUFFER_BYTES = 1024 * 1024
const packr = new Packr({ useRecords: false })

function unpackArray(data: Buffer): unknown[] | undefined {
  try {
    const messages: unknown = packr.unpack(data)
    return Array.isArray(messages) ? messages : undefined
  } catch {
    return undefined
  }
}

const helloSchema = z.strictObject({
  token: z.string().min(1).max(256),
  session: name.optional(),
  secret: z.string().max(256).optional(),
  agent: name.optional(),
  ttl: z.number().optional(),
  about: z.record(z.string(), z.string()).optional(),
  callers: z.array(name).max(LIMITS.callersPerConnection).optional(),
})

const watchSchema = z.strictObject({
  workspace,
  since: z.int().nonnegative().optional(),
  path: path.optional(),
  kinds: z.array(z.enum(Object.keys(EVENT_KINDS) as [EventKind, ...EventKind[]])).optional(),
})
