/**
 * The ledger in one SQLite file, behind a worker thread.
 *
 * Owns: the thread and the calls it has not answered yet. `LedgerFile` has the rules of the file.
 *
 *  1. Requests are served one by one in the order they were made; an append is one message each way.
 *  2. A payload that fills its memory is handed over: it is empty for the caller afterwards. One
 *     that shares memory (a view of a pool) is copied, and so are attachments, which live on.
 *  3. When the thread dies, every call without an answer rejects, and every later one.
 */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Batch, Ledger, LedgerHead, LedgerLimits, StoredBatch } from '../ledger.ts'
import { decodeAttachments, encodeAttachments, ownsMemory, toHex } from './chain.ts'
import { type Answer, fromFault, type Numbered, type Page, type Request } from './sqlite-message.ts'

/** Sources run as they are, and compiled to JavaScript. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js',
  import.meta.url,
)

interface Call {
  resolve(result: unknown): void
  reject(error: Error): void
}

export class SqliteLedger implements Ledger {
  readonly limits = LIMITS
  readonly #file: string
  #thread: Thread | undefined

  /** `file` is created at open, with its folder, when it is missing. */
  constructor(file: string) {
    this.#file = file
  }

  async open(): Promise<LedgerHead> {
    if (this.#thread) throw new Error('The ledger is open already.')
    const thread = new Thread()
    this.#thread = thread
    try {
      await mkdir(dirname(this.#file), { recursive: true })
      return (await thread.call({ kind: 'open', file: this.#file })) as LedgerHead
    } catch (error) {
      this.#thread = undefined
      await thread.end()
      throw error
    }
  }

  async append(epoch: number, after: number, batch: Batch): Promise<void> {
    const { first, last } = batch
    const payload = ownsMemory(batch.payload) ? batch.payload : new Uint8Array(batch.payload)
    const attachments = encodeAttachments(batch.attachments)
    await this.#opened().call(
      { kind: 'append', epoch, after, batch: { first, last, payload, attachments } },
      [payload.buffer as ArrayBuffer, attachments.buffer],
    )
  }

  /** Holds at most two pages of 4 MiB (or of one batch, if that is larger). */
  async *read(from: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<StoredBatch> {
    const ask = (next: number, end: number, resumed: boolean) =>
      this.#opened().call({ kind: 'page', from: next, to: end, resumed }) as Promise<Page>
    let page = await ask(from, to, false)
    while (true) {
      const following = page.next === undefined ? undefined : ask(page.next, page.to, true)
      // Its rejection is seen by the await below; this keeps it quiet if the reader stops before.
      following?.catch(() => {})
      for (const { first, last, payload, attachments, hash } of page.rows) {
        const contents = decodeAttachments(attachments)
        yield { first, last, payload, attachments: contents, hash: toHex(hash) }
      }
      if (!following) return
      page = await following
    }
  }

  async trim(before: number): Promise<void> {
    // In steps, so that appends get their turn in between.
    while (await this.#opened().call({ kind: 'trim', before }));
  }

  /** Waits for what was asked before. Closing what is not open does nothing. */
  async close(): Promise<void> {
    const thread = this.#thread
    if (!thread) return
    this.#thread = undefined
    try {
      if (thread.alive) await thread.call({ kind: 'close' })
    } finally {
      await thread.end()
    }
  }

  #opened(): Thread {
    if (!this.#thread) throw new Error('The ledger is not open.')
    return this.#thread
  }
}

class Thread {
  readonly #worker = new Worker(WORKER)
  readonly #calls = new Map<number, Call>()
  #lastId = 0
  #death: Error | undefined

  constructor() {
    this.#worker.on('message', (answer: Answer) => this.#settle(answer))
    this.#worker.on('messageerror', (error) => this.#die(error))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`it ended with code ${code}`)))
  }

  get alive(): boolean {
    return this.#death === undefined
  }

  call(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#death) return Promise.reject(this.#death)
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#worker.postMessage({ id, request } satisfies Numbered, transfer)
      this.#calls.set(id, { resolve, reject })
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle({ id, result, fault }: Answer): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (fault) call?.reject(fromFault(fault))
    else call?.resolve(result)
  }

  #die(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#death ??= new Error(`The thread of the ledger is gone: ${reason}`, { cause })
    for (const call of this.#calls.values()) call.reject(this.#death)
    this.#calls.clear()
  }
}

/** One row a batch: larger ones would only make the next wait longer. */
const LIMITS: LedgerLimits = { batchEvents: 2048, batchBytes: 8 * 1024 * 1024 }
