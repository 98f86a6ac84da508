import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClientAsks } from './client-child.ts'

const CHILD = fileURLToPath(new URL('./client-child.ts', import.meta.url))

/** An SDK client in a process of its own. */
export class ClientProcess {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, (value: string) => void>()
  private asked = 0

  private constructor(url: string, token: string) {
    this.child = fork(CHILD, [url, token], { execArgv: ['--disable-warning=ExperimentalWarning'] })
    this.child.on('message', ({ id, value }: { id: number; value: string }) => {
      this.waiting.get(id)?.(value)
      this.waiting.delete(id)
    })
  }

  static async start(url: string, token: string): Promise<ClientProcess> {
    const client = new ClientProcess(url, token)
    await client.answerTo(0)
    return client
  }

  /** Resolves with the answer, or with the code of the refusal. */
  ask<N extends keyof ClientAsks>(what: N, ...args: Parameters<ClientAsks[N]>): Promise<string> {
    this.asked += 1
    const answer = this.answerTo(this.asked)
    this.child.send({ id: this.asked, what, with: args })
    return answer
  }

  /** Hangs, wherever it is, and knows nothing of it. */
  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  async end(): Promise<void> {
    const exited = new Promise((resolve) => this.child.once('exit', resolve))
    // Kills a stopped process too.
    this.child.kill('SIGKILL')
    await exited
  }

  private answerTo(id: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting.set(id, resolve)
      this.child.once('exit', (code) => reject(new Error(`the client ended (${code})`)))
    })
  }
}
