import type { Lock, LockOptions } from '../../src/client/lock.ts'
import type { Workspace } from '../../src/client/workspace.ts'
import { SluiceError } from '../../src/contract/errors.ts'
import type { Chance } from '../chance.ts'
import type { Client } from './client.ts'

/** What an action works with: one client in one session. */
export interface Hands {
  client: Client
  workspace: Workspace
  chance: Chance
  /** Unlike any other content of the run. */
  fresh(): string
  /** As the SDK's `lock`, and remembered until it is given back. */
  lock(target: Parameters<Workspace['lock']>[0], options: LockOptions): Promise<Lock>
  release(lock: Lock): Promise<void>
  /** Time in which a lock is held, or nothing is done. */
  dwell(meanMs: number): Promise<void>
}

export interface Action {
  name: string
  weight: number
  run(hands: Hands): Promise<void>
}

export const COUNTERS = ['/count/a', '/count/b'] as const
export const FILES = ['/doc/a', '/doc/b', '/doc/in/c', '/doc/in/d'] as const
export const FOLDERS = ['/doc', '/doc/in'] as const
export const LOGS = ['/log/a', '/log/b'] as const

export function termsOf(chance: Chance): LockOptions {
  return {
    ttl: chance.pick([1, 2, 4, 8, 60]),
    wait: chance.pick([0, 0, 1, 5, 15]),
    ...(chance.happens(0.2) ? { renew: 'explicit' as const } : {}),
    ...(chance.happens(0.3) ? { priority: chance.int(10) } : {}),
  }
}

/** A refusal is an answer as good as any; everything else is a fault. */
export function onlyRefusals(error: unknown): void {
  if (!(error instanceof SluiceError)) throw error
}
