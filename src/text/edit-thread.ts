import { Worker } from 'node:worker_threads'
import { fail, problemOf, refuse, SluiceError } from '../contract/errors.ts'
import type { Edit } from './edit.ts'
import { type EditJob, type EditOutcome, runEdit } from './edit-job.ts'

/**
 * Edits of whatever size without holding up whoever asks: small ones at once, the others one after the
 * other in a thread of their own, which is started when the first of them comes.
 *
 *  1. A text is loaded when its turn comes, so that at most two are in memory.
 *  2. The line of those that wait is bounded; who finds it full is told to come again.
 *  3. When the thread dies, the edit that it worked on fails, and the next one gets a new thread.
 */
export class EditThread {
  #worker: Worker | undefined
  #current:
    | { id: number; resolve(outcome: EditOutcome): void; reject(error: Error): void }
    | undefined
  #lastId = 0
  #waiting = 0
  #isClosed = false
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * @param sizeBytes of the text that `load` gives; its memory is taken over
   * @throws `too_large` when the text is looked through more often than `EDIT_WORK_BYTES` allow,
   *   `overloaded` when too many wait
   */
  async edit(
    sizeBytes: number,
    load: () => Promise<Uint8Array>,
    terms: { edits: readonly Edit[]; diffOf?: string | undefined },
  ): Promise<EditOutcome> {
    const { edits } = terms
    if (sizeBytes * edits.length > EDIT_WORK_BYTES) {
      const most = Math.max(1, Math.floor(EDIT_WORK_BYTES / sizeBytes))
      fail(
        'too_large',
        `A text of ${sizeBytes} bytes takes ${most} edits in one call. Send fewer.`,
        {
          size: sizeBytes,
          limit: most,
        },
      )
    }
    const given = edits.reduce((sum, one) => sum + one.oldText.length + one.newText.length, 0)
    if (sizeBytes * edits.length <= INLINE_WORK_BYTES && given <= INLINE_EDIT_LENGTH) {
      return runEdit({ bytes: await load(), ...terms })
    }
    if (this.#waiting >= WAITING_MOST) {
      fail('overloaded', 'Too many large texts are being edited. Try again in a second.')
    }
    this.#waiting += 1
    const turn = this.#turn.then(async () => this.#run({ bytes: await load(), ...terms }))
    this.#turn = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#waiting -= 1
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    this.#worker = undefined
    this.#die(new SluiceError(problemOf(STOPPING)))
    await worker?.terminate()
  }

  async #run(job: EditJob): Promise<EditOutcome> {
    if (this.#isClosed) throw new SluiceError(problemOf(STOPPING))
    const worker = this.#worker ?? this.#start()
    this.#lastId += 1
    const id = this.#lastId
    const { bytes } = job
    const isOwned = bytes.byteLength === bytes.buffer.byteLength
    return new Promise((resolve, reject) => {
      this.#current = { id, resolve, reject }
      worker.ref()
      worker.postMessage(
        { id, job } satisfies ThreadJob,
        isOwned ? [bytes.buffer as ArrayBuffer] : [],
      )
    })
  }

  #start(): Worker {
    const worker = new Worker(WORKER)
    this.#worker = worker
    worker.on('message', ({ id, outcome, fault }: ThreadAnswer) => {
      const current = this.#current
      if (current === undefined || current.id !== id) return
      this.#current = undefined
      // Nothing is left to wait for: an idle thread keeps no process alive.
      worker.unref()
      if (outcome === undefined) current.reject(new Error(`A text could not be edited: ${fault}`))
      else current.resolve(outcome)
    })
    const ended = (cause: unknown): void => {
      if (this.#worker === worker) this.#worker = undefined
      this.#die(new Error(`The thread that edits texts is gone: ${String(cause)}`))
    }
    worker.on('error', ended)
    worker.on('exit', ended)
    return worker
  }

  #die(error: Error): void {
    this.#current?.reject(error)
    this.#current = undefined
  }
}

export interface ThreadJob {
  id: number
  job: EditJob
}

export interface ThreadAnswer {
  id: number
  outcome?: EditOutcome
  fault?: string
}

const STOPPING = refuse('read_only_mode', 'The server is stopping. Try again in a moment.')

/** Sources run as they are, and compiled to JavaScript. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './edit-worker.ts' : './edit-worker.js',
  import.meta.url,
)

/** What is looked through for one call: the size of the text once for each edit. */
const EDIT_WORK_BYTES = 4 * 1024 ** 3
/** Up to here an edit is a matter of a millisecond or two. */
const INLINE_WORK_BYTES = 512 * 1024
const INLINE_EDIT_LENGTH = 16 * 1024
const WAITING_MOST = 1000
