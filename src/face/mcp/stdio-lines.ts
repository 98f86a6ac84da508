import { Transform, type TransformCallback } from 'node:stream'
import { LIMITS } from '../../contract/limits.ts'
import { type RpcError, readWireMessage, unreadable } from './wire-message.ts'

/**
 * What a client writes to stdin, line by line, on its way to the SDK: messages are put right or
 * answered here (`wire-message.ts`), so that none is dropped in silence. A line that is longer than any
 * message may be is passed over, and the client lives on.
 */
export class StdioLines extends Transform {
  private parts: Buffer[] = []
  private bytes = 0
  private readonly answer: (error: RpcError) => void

  constructor(answer: (error: RpcError) => void) {
    super()
    this.answer = answer
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    let start = 0
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      this.keep(chunk.subarray(start, end))
      this.endLine()
      start = end + 1
    }
    this.keep(chunk.subarray(start))
    done()
  }

  private keep(part: Buffer): void {
    this.bytes += part.length
    // Of a line that is too long only its beginning is of use: its id may stand there.
    if (this.bytes <= LINE_BYTES || this.parts.length === 0) this.parts.push(part)
  }

  private endLine(): void {
    const { bytes } = this
    const line = Buffer.concat(this.parts)
    this.parts = []
    this.bytes = 0
    if (bytes > LINE_BYTES) {
      const why = `A message may have ${LINE_BYTES} bytes; write large files in parts with append_file.`
      return this.answer(unreadable(line.subarray(0, 4096).toString('utf8'), why))
    }
    this.handle(line)
  }

  private handle(line: Buffer): void {
    const text = line.toString('utf8')
    if (text.trim() === '') return
    let raw: unknown
    try {
      raw = JSON.parse(text)
    } catch {
      return this.answer(unreadable(text.slice(0, 4096), 'The line is not valid JSON.'))
    }
    const reading = readWireMessage(raw)
    if (reading.kind === 'refused') return this.answer(reading.answer)
    this.push(`${reading.isAsCame ? text : JSON.stringify(reading.message)}\n`)
  }
}

const LINE_END = 0x0a
/** Twice the largest text that can be edited: JSON escapes some characters. */
const LINE_BYTES = 2 * LIMITS.textBytes
