import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:os'
import { Readable, Writable } from 'node:stream'
import type { Ran } from './sluice.ts'

/**
 * The command inside the process of the test, for stories whose subject is not a process. What it takes
 * of `process` is its own for as long as it runs, and so is what everything has that it starts; so any
 * number may run at once. No signal reaches it, and what follows `--` would not be heard: those need
 * a process.
 */
export interface Inside {
  env: NodeJS.ProcessEnv
  cwd: string
  stdin: Readable
  stdout: Writable
  stderr: Writable
}

interface Running extends Inside {
  exit(code: number): void
}

const running = new AsyncLocalStorage<Running>()

/** Its exit code. Rejects where a process would end by an error that nobody caught. */
export function runInside(words: readonly string[], own: Inside): Promise<number> {
  borrow()
  return new Promise((resolve, reject) => {
    running.run({ ...own, exit: resolve }, async () => {
      // Loaded only by tests that run a command.
      const { runCommandLine } = await import('../../src/cli/command-line.ts')
      runCommandLine(words).then(resolve, reject)
    })
  })
}

/** All that a command says that is given all its input at once. */
export async function ranInside(
  words: readonly string[],
  { env, cwd, input = '' }: { env: NodeJS.ProcessEnv; cwd: string; input?: string | Uint8Array },
): Promise<Ran & { bytes: Buffer }> {
  const [stdout, stderr] = [new Kept(), new Kept()]
  const stdin = Readable.from(input.length === 0 ? [] : [Buffer.from(input)], { objectMode: false })
  const code = await runInside(words, { env, cwd, stdin, stdout, stderr })
  return { code, out: stdout.bytes.toString(), err: stderr.bytes.toString(), bytes: stdout.bytes }
}

class Kept extends Writable {
  private readonly parts: Buffer[] = []

  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }

  override _write(part: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.parts.push(part)
    done()
  }
}

let isBorrowed = false

/** From then on `process` answers a command that runs inside with what is its own. */
function borrow(): void {
  if (isBorrowed) return
  isBorrowed = true
  for (const name of ['env', 'stdin', 'stdout', 'stderr'] as const) {
    const { get, value } = Object.getOwnPropertyDescriptor(process, name) as PropertyDescriptor
    Object.defineProperty(process, name, {
      configurable: true,
      get: () => running.getStore()?.[name] ?? get?.call(process) ?? value,
    })
  }
  const { cwd, exit, on } = process
  process.cwd = () => running.getStore()?.cwd ?? cwd.call(process)
  process.exit = (code) => {
    const own = running.getStore()
    if (own === undefined) return exit.call(process, code)
    own.exit(Number(code ?? 0))
    // Nobody hears what a process that is gone would say.
    own.stdout = own.stderr = new Kept()
    throw new Error('the command that runs inside has ended')
  }
  process.on = (event: string | symbol, listener: (...args: never[]) => void) => {
    if (running.getStore() !== undefined && String(event) in constants.signals) return process
    return on.call(process, event as 'exit', listener as () => void)
  }
}
