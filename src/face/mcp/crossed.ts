import type { Door } from '../../contract/door.ts'
import { newGrantOf } from '../../contract/new-grant.ts'
import { TransientMap } from '../../contract/transient.ts'

/**
 * Cancels that crossed the answer (locks §10): a client that has cancelled a request looks at no answer
 * any more, so a lock that the answer granted goes back when the cancel arrives.
 */
export class CrossedCancels {
  private readonly granted = new TransientMap<string | number, () => Promise<void>>()

  /** A call was answered with this. */
  answered(request: string | number, door: Door, workspace: string, value: unknown): void {
    const lock = newGrantOf(value)
    if (lock === undefined) return
    this.granted.set(request, () => door.giveBack(workspace, lock))
    const [oldest] = this.granted.keys()
    if (this.granted.size > KEPT && oldest !== undefined) this.granted.delete(oldest)
  }

  /** Any message of the client. Resolves when what it cancels is given back. */
  async follow(message: unknown): Promise<void> {
    const { method, params } = (message ?? {}) as Message
    if (method !== 'notifications/cancelled' || params?.requestId === undefined) return
    const giveBack = this.granted.get(params.requestId)
    this.granted.delete(params.requestId)
    await giveBack?.()
  }
}

interface Message {
  method?: unknown
  params?: { requestId?: string | number }
}

const KEPT = 100
