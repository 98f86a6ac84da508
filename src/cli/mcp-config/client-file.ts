import { isUtf8 } from 'node:buffer'
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Failure, UsageError } from '../usage-error.ts'

/** A client's own file: read whole, and replaced whole or not at all. */
export class ClientFile {
  readonly path: string
  /** Undefined: it is not there. */
  readonly text: string | undefined
  /** Where it really lies: many keep such files elsewhere and link to them. */
  private readonly place: string
  private readonly mode: number | undefined

  constructor(path: string) {
    this.path = path
    try {
      this.place = realpathSync(path)
      this.mode = statSync(this.place).mode & 0o777
      this.text = this.read()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') throw this.failure(error)
      if (isThere(path)) {
        throw new UsageError(`${path} is a link to nothing. Remove it, or make what it links to.`)
      }
      this.place = path
    }
  }

  write(text: string): void {
    this.checkWritable()
    const draft = `${this.place}.sluice-${process.pid}`
    try {
      mkdirSync(dirname(this.place), { recursive: true })
      writeFileSync(draft, text, { flush: true, flag: 'wx' })
      if (this.mode !== undefined) chmodSync(draft, this.mode)
      this.checkUnchanged()
      renameSync(draft, this.place)
    } catch (error) {
      throw this.failure(error)
    } finally {
      rmSync(draft, { force: true })
    }
  }

  /** Its folder would let it be replaced, but whoever made it read-only meant it. */
  private checkWritable(): void {
    if (this.mode === undefined) return
    try {
      if ((this.mode & 0o222) === 0) throw new Error('no one may write it')
      accessSync(this.place, constants.W_OK)
    } catch {
      throw new Failure(
        `${this.path} is read-only. Nothing was written. Make it writable first.`,
        4,
      )
    }
  }

  /** Clients write these files too, while they run. */
  private checkUnchanged(): void {
    const now = isThere(this.place) ? this.read() : undefined
    if (now === this.text) return
    throw new Failure(
      `${this.path} was changed by somebody else meanwhile. Nothing was written. Do it again.`,
      8,
    )
  }

  private read(): string {
    const bytes = readFileSync(this.place)
    if (isUtf8(bytes)) return bytes.toString('utf8')
    throw new UsageError(`${this.path} is not UTF-8. Nothing was written. Save it as UTF-8 first.`)
  }

  private failure(error: unknown): Error {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) return error as Error
    if (code === 'EISDIR') return new UsageError(`${this.path} is a folder, not a file.`)
    return new Failure(`${this.path} cannot be written: ${message}. It is as it was.`, 4)
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
