import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Performed, Step } from './steps.ts'

const CHILD = fileURLToPath(new URL('./outsider-child.ts', import.meta.url))

/** Saves files from a process that the server knows nothing of. */
export class OutsiderProcess {
  private readonly child: ChildProcess
  private readonly asked = new Map<number, (performed: Performed) => void>()
  private number = 0

  constructor(root: string) {
    this.child = fork(CHILD, [root], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.child.on('message', ({ id, performed }: { id: number; performed: Performed }) => {
      this.asked.get(id)?.(performed)
      this.asked.delete(id)
    })
    this.child.on('exit', () => {
      const error = 'the process has ended'
      for (const resolve of this.asked.values()) resolve({ from: 0, to: Date.now(), error })
    })
  }

  perform(steps: readonly Step[]): Promise<Performed> {
    this.number += 1
    const id = this.number
    return new Promise((resolve) => {
      this.asked.set(id, resolve)
      this.child.send({ id, steps })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null) return resolve()
      this.child.once('exit', () => resolve())
      this.child.disconnect()
    })
  }
}
