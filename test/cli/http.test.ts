import { once } from 'node:events'
import { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { request, textOf } from '../../src/cli/http.ts'

/**
 * A server in a thread of its own. When it has the beginning of a request and is told to go on, it says
 * this and closes the connection with the rest unread: writing to it fails from then on.
 */
async function serverThatSays(answer: string) {
  const steps = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(SERVER, { eval: true, workerData: { answer, steps } })
  onTestFinished(() => void worker.terminate())
  const [port] = await once(worker, 'message')
  const begun = once(worker, 'message')
  return { url: `http://127.0.0.1:${port}/`, upload: () => Readable.from(upload(begun, steps)) }
}

const SERVER = `
const { parentPort, workerData: { answer, steps } } = require('node:worker_threads')
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => {})
  socket.once('readable', () => {
    parentPort.postMessage('begun')
    Atomics.wait(steps, 0, 0)
    socket.write(answer, () => socket.resetAndDestroy())
  })
  socket.once('close', () => {
    Atomics.store(steps, 1, 1)
    Atomics.notify(steps, 1)
  })
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

/** Goes on when the connection is closed, and before this thread can have heard of that. */
async function* upload(begun: Promise<unknown>, steps: Int32Array): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(1024)
  await begun
  Atomics.store(steps, 0, 1)
  Atomics.notify(steps, 0)
  Atomics.wait(steps, 1, 0, 10_000)
  for (let i = 0; i < 100; i++) yield Buffer.alloc(1024)
}

const BODY = '{"code":"locked"}'
const LOCKED = `HTTP/1.1 423 Locked\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

test('an upload that is refused and cut off half-way ends in the refusal', async () => {
  const { url, upload } = await serverThatSays(LOCKED)
  const answer = await request(url, { method: 'PUT' }, upload())
  expect(answer.statusCode).toBe(423)
  expect(await textOf(answer)).toBe(BODY)
})

test('an upload that is cut off without an answer ends in "No connection"', async () => {
  const { url, upload } = await serverThatSays('')
  const answer = request(url, { method: 'PUT' }, upload())
  await expect(answer).rejects.toMatchObject({ code: 'overloaded' })
})
