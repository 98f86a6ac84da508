import type { Notice } from '../contract/door.ts'
import { problemOf, refuse, SluiceError } from '../contract/errors.ts'
import type { EventKind, ShownEvent } from '../contract/events.ts'
import type { Input, OperationName, Output } from '../contract/operations.ts'
import { given, optional } from '../contract/optional.ts'
import { SOCKET_CONTENT_BYTES } from '../contract/socket.ts'
import { illFormedRefusal } from '../contract/well-formed.ts'
import type { Connection } from './connection.ts'
import type { Lock, LockOptions, LockTarget } from './lock.ts'
import { Locking } from './locking.ts'
import type { Runtime } from './runtime.ts'
import { refusedAs } from './words.ts'

export type WriteResult = Output<'write_file'>

export interface ReadResult extends Omit<Output<'read_file'>, 'kind'> {
  bytes: Uint8Array
  /** Written back it gives the same bytes. @throws `invalid_request` when they are not UTF-8 */
  text(): string
}

/** One workspace as one session sees it. Locks of the session cover its writes by themselves. */
export class Workspace {
  readonly name: string
  private readonly connection: Connection
  private readonly options: HttpTerms
  private readonly sessionOf: () => string
  private readonly as: string | undefined
  private readonly locking: Locking
  private readonly noticeListeners = new Set<(notice: Notice) => void>()
  private readonly runtime: Runtime

  constructor(
    name: string,
    connection: Connection,
    options: HttpTerms,
    sessionOf: () => string,
    as?: string,
  ) {
    this.name = name
    this.as = as
    this.connection = connection
    this.runtime = connection.runtime
    this.options = options
    this.sessionOf = sessionOf
    this.locking = new Locking(
      (operation, input, signal) => this.call(operation, input, undefined, signal),
      this.runtime,
    )
  }

  /**
   * Resolves when granted: at once, or within `wait` seconds through as many tickets' waits as that
   * takes. Rejects with `lock_conflict` when the time is over; the ticket is given up then.
   */
  lock(target: string | LockTarget[], options: LockOptions = {}): Promise<Lock> {
    return this.locking.lock(target, options)
  }

  /** A word to the holder of a lock; its answer comes as a notice. */
  async ask(lock: string, message: string): Promise<Output<'ask_holder'>> {
    return this.call('ask_holder', { id: lock, message })
  }

  /** Answers a question that came as a notice; `yield` gives the lock back. */
  async answer(
    ask: string,
    answer: 'yield' | 'estimate' | 'no',
    options: { /** Seconds. */ estimate?: number; message?: string } = {},
  ): Promise<Output<'answer_ask'>> {
    const { estimate, message } = options
    const said = { ...optional('estimate_s', estimate), ...optional('message', message) }
    return this.locking.answerAsk({ ask, answer, ...said })
  }

  async read(
    path: string,
    options: { at?: number; range?: [number, number] } = {},
  ): Promise<ReadResult> {
    const { at, range } = options
    const answer = await this.send('read_file', { path, ...(at === undefined ? {} : { at }) })
    const whole = answer.isLarge === true ? await this.fetchWhole(path, at, range) : answer.content
    const bytes = whole ?? new Uint8Array()
    const cut = range === undefined || answer.isLarge === true ? bytes : bytes.subarray(...range)
    const { kind: _, ...facts } = answer.value
    return { ...facts, bytes: cut, text: () => decoded(path, cut) }
  }

  /** Some lines of a text of any size, cut at the server; `next_offset` says where there is more. */
  async readText(
    path: string,
    part: { head?: number; tail?: number; offset?: number; limit?: number; at?: number } = {},
  ): Promise<Output<'read_text'>> {
    return this.call('read_text', { path, ...part })
  }

  async write(
    path: string,
    data: string | Uint8Array,
    options: {
      ifVersion?: number
      ifNone?: boolean
      lock?: Lock
      message?: string
      run?: string
    } = {},
  ): Promise<WriteResult> {
    const bytes = typeof data === 'string' ? encoded(data) : data
    const input = { path, ...writeTerms(options) }
    if (bytes.length <= SOCKET_CONTENT_BYTES) return this.call('write_file', input, bytes)
    return this.putWhole(input, bytes)
  }

  async append(
    path: string,
    data: string,
    options: { lock?: Lock } = {},
  ): Promise<Output<'patch_file'>> {
    return this.call('patch_file', { path, append: data, ...writeTerms(options) })
  }

  async edit(
    path: string,
    edits: { oldText: string; newText: string }[],
    options: { lock?: Lock; dryRun?: boolean } = {},
  ): Promise<Output<'patch_file'>> {
    const { dryRun } = options
    const dry = dryRun === undefined ? {} : { dry_run: dryRun }
    return this.call('patch_file', { path, edits, ...dry, ...writeTerms(options) })
  }

  /** Puts text in place of bytes; without `range`: of the one range of the file that is held. */
  async replace(
    path: string,
    text: string,
    options: { range?: { start: number; end?: number }; lock?: Lock } = {},
  ): Promise<Output<'patch_file'>> {
    const replace = { text, ...optional('range', options.range) }
    return this.call('patch_file', { path, replace, ...writeTerms(options) })
  }

  /** What this session wanted to write when its lock was gone already. */
  async draft(id: string): Promise<Output<'read_draft'> & { bytes: Uint8Array; text(): string }> {
    const answer = await this.send('read_draft', { draft: id })
    const bytes = answer.isLarge === true ? await this.fetchDraft(id) : (answer.content ?? NOTHING)
    return { ...answer.value, bytes, text: () => decoded(answer.value.path, bytes) }
  }

  async commit(
    changes: Input<'commit'>['changes'],
    options: { message?: string; run?: string; lock?: Lock; release?: boolean } = {},
  ): Promise<Output<'commit'>> {
    const { release, lock } = options
    const given = release === undefined ? {} : { release }
    const send = () => this.call('commit', { changes, ...given, ...writeTerms(options) })
    return release === true ? this.locking.leases.give(lock?.id, send) : send()
  }

  async delete(
    path: string,
    options: { recursive?: boolean; ifVersion?: number; lock?: Lock } = {},
  ): Promise<Output<'delete_file'>> {
    const { recursive, ifVersion, lock } = options
    return this.call('delete_file', {
      path,
      ...(recursive === undefined ? {} : { recursive }),
      ...(ifVersion === undefined ? {} : { if_version: ifVersion }),
      ...optional('locks', tokensOf(lock)),
    })
  }

  list(
    path = '/',
    options: { depth?: number; limit?: number; cursor?: string } = {},
  ): Promise<Output<'get_entry'>> {
    return this.call('get_entry', { path, ...options })
  }

  history(
    path: string,
    options: { limit?: number; before?: number } = {},
  ): Promise<Output<'get_history'>> {
    return this.call('get_history', { path, ...options })
  }

  locks(
    options: { path?: string; owner?: string; limit?: number; cursor?: string } = {},
  ): Promise<Output<'list_locks'>> {
    return this.call('list_locks', options)
  }

  status(): Promise<Output<'workspace_status'>> {
    return this.call('workspace_status', {})
  }

  /** Facts in order, without gaps, across lost connections; from now on unless `since` says more. */
  async *watch(
    options: { since?: number; path?: string; kinds?: EventKind[]; signal?: AbortSignal } = {},
  ): AsyncGenerator<ShownEvent> {
    const { signal, ...query } = options
    const queue: ShownEvent[] = []
    let ended: { error: Error | undefined } | undefined
    let wake = (): void => {}
    const stop = this.connection.watch(
      { workspace: this.name, ...(query as object) },
      (events) => {
        queue.push(...(events as ShownEvent[]))
        wake()
      },
      (error) => {
        ended = { error }
        wake()
      },
    )
    const onAbort = (): void => wake()
    signal?.addEventListener('abort', onAbort)
    try {
      for (;;) {
        for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event
        if (signal?.aborted === true) return
        if (ended !== undefined) {
          if (ended.error !== undefined) throw ended.error
          return
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      stop()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Calls back with what the server tells unasked. Returns the stop. */
  onNotice(listener: (notice: Notice) => void): () => void {
    this.noticeListeners.add(listener)
    return () => this.noticeListeners.delete(listener)
  }

  noticed(notices: readonly Notice[]): void {
    for (const notice of notices) {
      this.locking.noticed(notice)
      for (const listener of this.noticeListeners) listener(notice)
    }
  }

  stop(): void {
    this.locking.leases.stop()
  }

  /** The answer's value of one operation in this workspace. */
  call<N extends OperationName>(
    name: N,
    input: Omit<Input<N>, 'workspace'>,
    content?: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Output<N>> {
    return this.send(name, input, content, signal).then(valueIn)
  }

  private async send<N extends OperationName>(
    name: N,
    input: Omit<Input<N>, 'workspace'>,
    content?: Uint8Array,
    signal?: AbortSignal,
  ) {
    const sentAt = this.runtime.now()
    const whole = { workspace: this.name, ...input } as unknown as Input<N>
    const answer = await this.connection.call(name, whole, content, signal, this.as)
    this.locking.leases.heard(sentAt)
    return answer
  }

  /** Content that is too large for a frame comes over HTTP. */
  async fetchWhole(path: string, at?: number, range?: [number, number]): Promise<Uint8Array> {
    const headers: Record<string, string> = { ...this.headers() }
    if (range !== undefined) headers.range = `bytes=${range[0]}-${range[1] - 1}`
    const query = at === undefined ? '' : `?at=${at}`
    return this.fetched(`files/${namesOf(path)}${query}`, headers)
  }

  fetchDraft(id: string): Promise<Uint8Array> {
    return this.fetched(`drafts/${id}`)
  }

  private async fetched(below: string, headers = this.headers()): Promise<Uint8Array> {
    const { isGood, bytes } = await this.overHttp(this.urlOf(below), { headers })
    if (!isGood) throw refusedAs(jsonOf(bytes))
    return bytes
  }

  /** Content that is too large for a frame goes over HTTP. */
  async putWhole(input: Input<'write_file'>, bytes: Uint8Array): Promise<WriteResult> {
    const { path, if_version, if_none, locks, message, run } = input
    const headers: Record<string, string> = {
      ...this.headers(),
      'content-type': 'application/octet-stream',
      'idempotency-key': `${Date.now().toString(36)}-${this.runtime.random().toString(36).slice(2)}`,
    }
    if (if_version !== undefined) headers['if-match'] = `"${String(if_version)}"`
    if (if_none === true) headers['if-none-match'] = '*'
    if (locks !== undefined) headers['sluice-lock'] = [locks].flat().join(',')
    const body = bytes as Uint8Array<ArrayBuffer>
    const query = new URLSearchParams({ ...optional('message', message), ...optional('run', run) })
    const url = this.urlOf(`files/${namesOf(path)}?${query.toString()}`)
    const { isGood, bytes: answer } = await this.overHttp(url, { method: 'PUT', headers, body })
    if (!isGood) throw refusedAs(jsonOf(answer))
    return jsonOf(answer)
  }

  /** Asks again after a lost connection; an upload has a key, so it is not done twice. */
  private async overHttp(url: string, request: RequestInit) {
    const { retryMs = 30_000 } = this.options
    const giveUpAt = this.runtime.now() + retryMs
    for (;;) {
      try {
        const response = await fetch(url, request)
        return { isGood: response.ok, bytes: new Uint8Array(await response.arrayBuffer()) }
      } catch (error) {
        if (this.runtime.now() >= giveUpAt || this.connection.isClosed) {
          const why = error instanceof Error ? error.message : String(error)
          throw new SluiceError(problemOf(refuse('overloaded', `No connection to ${url}: ${why}.`)))
        }
        await new Promise<void>((resolve) => this.runtime.after(HTTP_RETRY_MS, resolve, true))
      }
    }
  }

  private headers(): Record<string, string> {
    return {
      authorization: `Bearer ${this.options.token}`,
      'sluice-session': this.sessionOf(),
      prefer: 'wording=operations',
    }
  }

  private urlOf(below: string): string {
    return `${this.options.url.replace(/\/$/, '')}/v1/workspaces/${this.name}/${below}`
  }
}

/** A path in a URL. */
function namesOf(path: string): string {
  const names = path.split('/').filter((name) => name !== '')
  return names.map(encodeURIComponent).join('/')
}

function encoded(content: string): Uint8Array {
  const ill = illFormedRefusal({ content })
  if (ill !== undefined) throw new SluiceError(problemOf(ill))
  return new TextEncoder().encode(content)
}

function decoded(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const detail = `${path} is not UTF-8 text. Use its bytes: as text it would be something else.`
    throw new SluiceError(problemOf(refuse('invalid_request', detail, { path })))
  }
}

const NOTHING = new Uint8Array()

interface HttpTerms {
  url: string
  token: string
  retryMs?: number
}

function jsonOf(bytes: Uint8Array): never {
  return JSON.parse(new TextDecoder().decode(bytes)) as never
}

const HTTP_RETRY_MS = 100

/** What was lost proves nothing any more, and this client knows it before it asks (locks §30). */
function tokensOf(lock: Lock | undefined): string[] | undefined {
  if (lock === undefined) return undefined
  if (lock.state !== 'lost') return [lock.token]
  const detail = `The lock ${lock.id} was lost. Nothing was written. Lock and read again.`
  throw new SluiceError(problemOf(refuse('lock_lost', detail, { lock: lock.id })))
}

function writeTerms(options: {
  ifVersion?: number
  ifNone?: boolean
  lock?: Lock
  message?: string
  run?: string
}) {
  const { ifVersion, ifNone, lock, message, run } = options
  return given({
    if_version: ifVersion,
    if_none: ifNone,
    locks: tokensOf(lock),
    message,
    run,
  })
}

function valueIn<T>({ value }: { value: T }): T {
  return value
}
