import type { Ledger } from '../../src/store/ledger.ts'
import { EngineWorld } from './world.ts'

/** A ledger whose appends wait until the test lets them go, or fail. */
export class Gate {
  isShut = false
  failure: Error | undefined
  /** Stored, and reported as failed. */
  failLate: Error | undefined
  /** Fails once so many have gone through. */
  failAfter: { appends: number; error: Error } | undefined
  /** So often the ledger cannot be opened again. */
  failOpens = 0
  private waiting: (() => void)[] = []

  wrap(ledger: Ledger): Ledger {
    return {
      limits: ledger.limits,
      open: async () => {
        if (this.failOpens-- > 0) throw new Error('no disk')
        return ledger.open()
      },
      read: (from, to) => ledger.read(from, to),
      trim: (before) => ledger.trim(before),
      close: () => ledger.close(),
      append: async (epoch, after, batch) => {
        if (this.isShut) await new Promise<void>((resolve) => this.waiting.push(resolve))
        if (this.failure !== undefined) throw this.failure
        if (this.failAfter !== undefined && this.failAfter.appends-- < 1) throw this.failAfter.error
        await ledger.append(epoch, after, batch)
        const { failLate } = this
        this.failLate = undefined
        if (failLate !== undefined) throw failLate
      },
    }
  }

  open(): void {
    this.isShut = false
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

export async function gatedWorld(): Promise<{ world: EngineWorld; gate: Gate }> {
  const world = new EngineWorld()
  const gate = new Gate()
  world.wrap = (ledger, workspace) => (workspace === undefined ? ledger : gate.wrap(ledger))
  await world.start()
  for (const who of ['ann', 'bob', 'cyd']) await world.caller(who)
  return { world, gate }
}
