import type { Refusal } from '../../contract/errors.ts'
import type { RecordRefusals } from '../../core/command.ts'

/**
 * The same refusal repeated by the same session is counted in one event a second, so that an agent
 * in a loop fills neither the ledger nor the audit. The first one is recorded at once by the caller.
 */
export class RefusalCounter {
  private readonly pending = new Map<string, Pending>()
  /** By session and request id, until they are recorded: asked again, they are refused alike. */
  private readonly counted = new Map<string, Refusal>()

  /** True: this one was counted. False: it is the first of its second; record it yourself. */
  count(
    by: { agent: string; session: string },
    command: string,
    paths: string[],
    refusal: Refusal,
    requestId: string | undefined,
    now: number,
  ): boolean {
    const key = `${by.session} ${command} ${refusal.code} ${paths.join('\n')}`
    const known = this.pending.get(key)
    if (known === undefined || now - known.since >= 1000) {
      if (known === undefined && this.pending.size >= KEPT) return false
      if (known !== undefined && known.count > 0) return this.add(known, refusal, requestId)
      this.pending.set(key, {
        ...{ agent: by.agent, session: by.session, command, paths },
        ...{ refusal, since: now, count: 0, requestIds: [] },
      })
      return false
    }
    return this.add(known, refusal, requestId)
  }

  private add(known: Pending, refusal: Refusal, requestId: string | undefined): true {
    known.count += 1
    known.refusal = refusal
    if (requestId !== undefined && known.requestIds.length < 1000) {
      known.requestIds.push(requestId)
      this.counted.set(keyOf(known.session, requestId), refusal)
    }
    return true
  }

  /** What a request came to that is only counted so far. */
  refusalOf(session: string, requestId: string): Refusal | undefined {
    return this.counted.size === 0 ? undefined : this.counted.get(keyOf(session, requestId))
  }

  /** What was counted and not recorded yet; forgets whoever was quiet for a second. */
  drain(now: number): RecordRefusals['refusals'] {
    const counted: RecordRefusals['refusals'] = []
    for (const [key, one] of this.pending) {
      if (now - one.since < 1000) continue
      if (one.count === 0) {
        this.pending.delete(key)
        continue
      }
      const { agent, session, command, paths, count, requestIds } = one
      const { code, detail } = one.refusal
      for (const id of requestIds) this.counted.delete(keyOf(session, id))
      counted.push({ agent, session, command, paths, code, detail, count, requestIds })
      one.count = 0
      one.requestIds = []
      one.since = now
    }
    return counted
  }

  get isEmpty(): boolean {
    return this.pending.size === 0
  }
}

function keyOf(session: string, requestId: string): string {
  return `${session} ${requestId}`
}

interface Pending {
  agent: string
  session: string
  command: string
  paths: string[]
  refusal: Refusal
  since: number
  count: number
  requestIds: string[]
}

const KEPT = 10_000
