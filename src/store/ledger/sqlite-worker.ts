/** The thread that waits for the disk, so that the engine's does not. */
import { parentPort } from 'node:worker_threads'
import { LedgerFile } from './sqlite-file.ts'
import { type Answer, type Numbered, type Page, type Request, toFault } from './sqlite-message.ts'

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread.')

let opened: LedgerFile | undefined

port.on('message', ({ id, request }: Numbered) => {
  try {
    const result = serve(request)
    const transfer = request.kind === 'page' ? memoryOf(result as Page) : []
    port.postMessage({ id, result } satisfies Answer, transfer)
  } catch (error) {
    port.postMessage({ id, fault: toFault(error) } satisfies Answer)
  }
})

function serve(request: Request): unknown {
  if (request.kind === 'open') {
    opened = new LedgerFile(request.file)
    return opened.head
  }
  if (!opened) throw new Error('The ledger is not open.')
  switch (request.kind) {
    case 'append':
      return opened.append(request.epoch, request.after, request.batch)
    case 'page':
      return opened.page(request.from, request.to, request.resumed)
    case 'trim':
      return opened.trim(request.before)
    case 'close':
      return opened.close()
  }
}

/** SQLite gives each value memory of its own, so a page moves to the other thread uncopied. */
function memoryOf(page: Page): ArrayBuffer[] {
  return page.rows.flatMap(({ payload, attachments }) => [
    payload.buffer as ArrayBuffer,
    attachments.buffer as ArrayBuffer,
  ])
}
