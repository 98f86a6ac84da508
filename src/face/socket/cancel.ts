import type { CancelSignal } from '../../engine/api.ts'

/** An AbortController and its signal in one small object: there is one for every lock that is asked for. */
export class Cancel implements CancelSignal {
  aborted = false
  reason: unknown
  private listener: (() => void) | undefined
  private more: Set<() => void> | undefined

  abort(reason?: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const { listener, more } = this
    listener?.()
    for (const one of more ?? []) one()
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.listener === undefined) this.listener = listener
    else this.more = (this.more ?? new Set()).add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.listener === listener) this.listener = undefined
    else this.more?.delete(listener)
  }
}
