import type { Parts } from './parts.ts'
import { missingFault } from './presence.ts'

/**
 * The time in which a root is not there (folder §9): it is said once, looked for every second, and what
 * had to wait goes on when it is back.
 */
export class Absence {
  private readonly parts: Parts
  private readonly stop: AbortSignal
  private readonly returned: () => Promise<void>
  private isNoticed = false

  /** @param returned called when all roots are there again */
  constructor(parts: Parts, stop: AbortSignal, returned: () => Promise<void>) {
    this.parts = parts
    this.stop = stop
    this.returned = returned
  }

  noticed(root: string): void {
    if (this.isNoticed || this.stop.aborted) return
    this.isNoticed = true
    this.parts.log(missingFault(root), undefined)
    this.lookLater()
  }

  private lookLater(): void {
    this.parts.context.clock.after(LOOK_MS, () => {
      if (this.stop.aborted) return
      if (this.parts.presence.missing().length > 0) return this.lookLater()
      this.isNoticed = false
      this.parts.log('The folder is there again: it is looked through.', undefined)
      this.returned().catch((error: unknown) => this.parts.log('looking through the folder', error))
    })
  }

  /** Resolves when the roots of these paths are there. Rejects at the end of the server. */
  async whileMissing(paths: Iterable<string>): Promise<void> {
    while (this.isMissing(paths)) {
      if (this.stop.aborted) throw new RootMissing(this.parts.presence.missing())
      await this.parts.pause(LOOK_MS)
    }
  }

  assertThere(paths: Iterable<string>): void {
    if (this.isMissing(paths)) throw new RootMissing(this.parts.presence.missing())
  }

  private isMissing(paths: Iterable<string>): boolean {
    const missing = this.parts.presence.missing()
    if (missing.length === 0) return false
    const { roots } = this.parts
    for (const path of paths) if (missing.includes(roots.rootOf(path) ?? '')) return true
    return false
  }
}

/** What was to be done in a folder waits: it is done once the folder is back, by this server or the next. */
export class RootMissing extends Error {
  override name = 'RootMissing'
  constructor(roots: readonly string[]) {
    super(`${roots.join(', ')} is not there`)
  }
}

/** How often a folder that is gone is looked for, in ms. */
const LOOK_MS = 1000
