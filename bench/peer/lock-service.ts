import type { Work } from '../measure.ts'

/** Something that grants locks durably: Sluice, or a peer. */
export interface LockService {
  name: string
  /** Version and the settings that decide what a pair costs. */
  facts: string
  /**
   * One acquire–release pair of worker `index` on a path of its own, per call. Both halves are
   * durable when the call resolves, and it rejects when the lock was not had.
   */
  worker(index: number): Promise<Work>
}

/** Sockets that the workers of one service share. */
export const CONNECTIONS = 8

export const LEASE_SECONDS = 300
