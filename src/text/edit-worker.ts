/** The thread that works on texts, so that the one that decides does not. */
import { parentPort } from 'node:worker_threads'
import { runEdit } from './edit-job.ts'
import type { ThreadAnswer, ThreadJob } from './edit-thread.ts'

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread.')

port.on('message', ({ id, job }: ThreadJob) => {
  try {
    const outcome = runEdit(job)
    const isOwned = outcome.ok && outcome.bytes.byteLength === outcome.bytes.buffer.byteLength
    const transfer = isOwned ? [outcome.bytes.buffer as ArrayBuffer] : []
    port.postMessage({ id, outcome } satisfies ThreadAnswer, transfer)
  } catch (error) {
    port.postMessage({ id, fault: String(error) } satisfies ThreadAnswer)
  }
})
