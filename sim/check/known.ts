import type { OperationName } from '../../src/contract/operations.ts'
import type { Answer, Request } from '../../src/engine/api.ts'

/**
 * Which versions each caller was answered with, seen where answers leave the engine: what it can know
 * of a file that it has not written itself (files §9). It forgets nothing, so it is never too strict.
 */
export class Known {
  private readonly seen = new Map<string, Set<number>>()

  follow(request: Request<OperationName>, answer: Promise<Answer<OperationName>>): void {
    const { operation, caller, input } = request
    if (operation !== 'read_file' || (input as { at?: number }).at !== undefined) return
    answer.then(
      ({ value }) => this.saw(caller.session, (value as { version: number }).version),
      () => {},
    )
  }

  of(session: string): ReadonlySet<number> {
    return new Set(this.seen.get(session))
  }

  private saw(session: string, version: number): void {
    const seen = this.seen.get(session) ?? new Set()
    this.seen.set(session, seen.add(version))
  }
}
