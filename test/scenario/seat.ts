import type { Input, OperationName, Output } from '../../src/contract/operations.ts'

/** One agent in one session at one door. Refusals reject with `SluiceError`, whatever the door. */
export interface Seat {
  readonly agent: string
  acquire(path: string, options?: AcquireOptions): Promise<Acquired>
  claim(ticket: string, wait: number): Promise<Acquired>
  change(lock: { id: string }, to: Level, wait?: number): Promise<Acquired>
  extend(lock: { id: string }): Promise<void>
  /** `to` is an agent with one session, or `agent:name`. */
  handOver(lock: { id: string }, to: string): Promise<void>
  /** Asks the holder of a path; gives the question's id. */
  ask(path: string, message: string): Promise<string>
  answer(ask: string, answer: 'yield' | 'estimate' | 'no'): Promise<void>
  /** What the session was told unasked. */
  messages(): Promise<{ kind: string; text: string; ask?: string | undefined }[]>
  /** What was wanted when the lock was gone. */
  draft(id: string): Promise<string>
  /** As a supervisor: takes a lock from its holder. */
  force(lock: { id: string }, reason: string): Promise<void>
  /** How often and how long requests waited for a path. */
  statistics(path: string): Promise<{ waits: number; waited_s_total: number }[]>
  /** The session's full id. */
  session(): Promise<string>
  release(lock: { id: string }): Promise<void>
  releaseAll(): Promise<void>
  /** Ids of the locks on, above or below a path. */
  locks(path: string): Promise<string[]>
  /** How many wait for a path. */
  waiting(path: string): Promise<number>
  write(path: string, text: string, options?: WriteOptions): Promise<{ version: number }>
  read(path: string): Promise<string>
  append(path: string, text: string, requestId?: string): Promise<{ version: number }>
  edit(path: string, oldText: string, newText: string): Promise<unknown>
  remove(path: string): Promise<void>
  /** Undefined where the door has no commits. */
  readonly commit:
    | ((changes: Input<'commit'>['changes']) => Promise<{ revision: number }>)
    | undefined
  /** Ends the session, as a client of that door does that is done. */
  end(): Promise<void>
}

export type Level = 'read' | 'write' | 'exclusive'

export interface AcquireOptions {
  type?: Level
  /** Instead of the path: several, of which `any` will do. */
  paths?: string[]
  any?: number
  lines?: { from: number; to: number; version: number }
  key?: 'metadata'
  lock_delay?: number
  ttl?: number
  wait?: number
  priority?: number
  intent?: string
}

export interface WriteOptions {
  ifVersion?: number
  requestId?: string
  /** Of a lock that may be somebody else's by now. */
  token?: string
}

export type Acquired =
  | { status: 'granted'; lock: { id: string }; token: string; already_held?: boolean | undefined }
  | { status: 'queued'; ticket: string; position: number }

/** A door of the server: seats at it, and what it can do beside. */
export interface Door {
  name: string
  /** Whether a call may carry a request id. */
  takesRequestIds: boolean
  open(agent: string): Promise<Seat>
}

export type Call = <N extends OperationName>(
  name: N,
  input: Input<N>,
  content?: Uint8Array,
) => Promise<{ value: Output<N>; content?: Uint8Array }>

/** A seat at a door that takes the operations of the contract as they are. */
export class OperationSeat implements Seat {
  readonly agent: string
  private readonly call: Call
  private readonly leave: () => Promise<void>

  constructor(agent: string, call: Call, leave: () => Promise<void>) {
    this.agent = agent
    this.call = call
    this.leave = leave
  }

  async acquire(path: string, options: AcquireOptions = {}): Promise<Acquired> {
    const { paths, ...terms } = options
    const what = paths === undefined ? { path } : { items: paths.map((one) => ({ path: one })) }
    return (await this.call('acquire_lock', { ...what, ...terms })).value
  }

  async change({ id }: { id: string }, to: Level, wait = 0): Promise<Acquired> {
    return (await this.call('change_lock', { id, to, wait })).value
  }

  async extend({ id }: { id: string }): Promise<void> {
    await this.call('extend_recall', { id })
  }

  async handOver({ id }: { id: string }, to: string): Promise<void> {
    await this.call('handover_lock', { id, to })
  }

  async ask(path: string, message: string): Promise<string> {
    const [id = ''] = await this.locks(path)
    return (await this.call('ask_holder', { id, message })).value.ask
  }

  async answer(ask: string, answer: 'yield' | 'estimate' | 'no'): Promise<void> {
    await this.call('answer_ask', { ask, answer })
  }

  async messages() {
    return (await this.call('workspace_status', {})).value.messages
  }

  async draft(id: string): Promise<string> {
    return Buffer.from((await this.call('read_draft', { draft: id })).content ?? []).toString()
  }

  async force({ id }: { id: string }, reason: string): Promise<void> {
    await this.call('release_lock', { id, force: true, reason })
  }

  async statistics(path: string) {
    const { statistics = [] } = (await this.call('list_locks', { path, statistics: true })).value
    return statistics
  }

  async session(): Promise<string> {
    return (await this.call('workspace_status', {})).value.session
  }

  async claim(ticket: string, wait: number): Promise<Acquired> {
    return (await this.call('wait_for_lock', { ticket, wait })).value
  }

  async release({ id }: { id: string }): Promise<void> {
    await this.call('release_lock', { id })
  }

  async releaseAll(): Promise<void> {
    await this.call('release_all_locks', {})
  }

  async locks(path: string): Promise<string[]> {
    return (await this.call('list_locks', { path })).value.locks.map(({ id }) => id)
  }

  async waiting(path: string): Promise<number> {
    return (await this.call('list_locks', { path })).value.waiting.length
  }

  async write(path: string, text: string, { ifVersion, requestId, token }: WriteOptions = {}) {
    const input: Input<'write_file'> = { path }
    if (ifVersion !== undefined) input.if_version = ifVersion
    if (requestId !== undefined) input.request_id = requestId
    if (token !== undefined) input.locks = [token]
    return (await this.call('write_file', input, Buffer.from(text))).value
  }

  async read(path: string): Promise<string> {
    return Buffer.from((await this.call('read_file', { path })).content ?? []).toString()
  }

  async append(path: string, text: string, requestId?: string) {
    const input: Input<'patch_file'> = { path, append: text }
    if (requestId !== undefined) input.request_id = requestId
    return (await this.call('patch_file', input)).value
  }

  async edit(path: string, oldText: string, newText: string): Promise<void> {
    await this.call('patch_file', { path, edits: [{ oldText, newText }] })
  }

  async remove(path: string): Promise<void> {
    await this.call('delete_file', { path })
  }

  readonly commit = async (changes: Input<'commit'>['changes']) => {
    return (await this.call('commit', { changes })).value
  }

  end(): Promise<void> {
    return this.leave()
  }
}
