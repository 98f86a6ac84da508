import { BoundedMap } from '../bounded-map.ts'

/**
 * Locks that ended lately, to tell a late holder why, and to answer a request that is sent again. Of
 * those that were given back few are kept: there are many, and nobody is surprised that they are gone.
 */
export class EndedLocks<L extends { lock: { id: number }; reason: string }> {
  private readonly lost = new BoundedMap<number, L>(LOST_KEPT)
  private readonly givenBack = new BoundedMap<number, L>(GIVEN_BACK_KEPT)

  get(lock: number): L | undefined {
    return this.givenBack.get(lock) ?? this.lost.get(lock)
  }

  keep(ended: L): void {
    const kept = ended.reason === 'released' ? this.givenBack : this.lost
    kept.set(ended.lock.id, ended)
  }

  *values(): Generator<L> {
    yield* this.lost.values()
    yield* this.givenBack.values()
  }
}

const LOST_KEPT = 10_000
const GIVEN_BACK_KEPT = 4096
