import type { Door } from '../../contract/door.ts'
import { SluiceError } from '../../contract/errors.ts'
import { newGrantOf } from '../../contract/new-grant.ts'

/**
 * Cancels that crossed the answer (locks §10): a client that has cancelled a request looks at no answer
 * any more, so a lock that the answer granted goes back when the cancel arrives, and again where the
 * disk did not take that.
 */
export class CrossedCancels {
  private readonly granted = new Map<string | number, Grant>()
  /** Locks on their way back, until another answer names them. */
  private readonly owed = new Set<string>()

  /** A call was answered with this. */
  answered(request: string | number, door: Door, workspace: string, value: unknown): void {
    const told = (value as { lock?: { id?: string } } | undefined)?.lock?.id
    if (told !== undefined) this.owed.delete(told)
    const id = newGrantOf(value)
    if (id === undefined) return
    this.granted.set(request, { id, release: () => door.call('release_lock', { workspace, id }) })
    const [oldest] = this.granted.keys()
    if (this.granted.size > KEPT && oldest !== undefined) this.granted.delete(oldest)
  }

  /** Any message of the client. Resolves when giving back what it cancels was tried. */
  async follow(message: unknown): Promise<void> {
    const { method, params } = (message ?? {}) as Message
    if (method !== 'notifications/cancelled' || params?.requestId === undefined) return
    const grant = this.granted.get(params.requestId)
    if (grant === undefined) return
    this.granted.delete(params.requestId)
    this.owed.add(grant.id)
    await this.giveBack(grant)
  }

  private async giveBack(grant: Grant): Promise<void> {
    if (!this.owed.has(grant.id)) return
    try {
      await grant.release()
      this.owed.delete(grant.id)
    } catch (error) {
      // Any other refusal says that it is not held any more.
      const isLater = error instanceof SluiceError && error.problem.retry === 'after'
      if (!isLater) this.owed.delete(grant.id)
      else setTimeout(() => void this.giveBack(grant), AGAIN_MS).unref()
    }
  }
}

interface Grant {
  id: string
  release: () => Promise<unknown>
}

interface Message {
  method?: unknown
  params?: { requestId?: string | number }
}

const KEPT = 100
const AGAIN_MS = 1000
