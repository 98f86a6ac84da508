import type { Event, Settings } from '../../src/contract/events.ts'
import { DEFAULT_SETTINGS } from '../../src/contract/events.ts'
import { check } from '../../src/core/check.ts'
import type { Actor, Command, CommitChange } from '../../src/core/command.ts'
import type { Records } from '../../src/core/file/entry.ts'
import { newState, type State } from '../../src/core/state.ts'
import { type Step, step } from '../../src/core/step.ts'
import { compareKeys } from '../../src/store/tables.ts'

/** Records in plain maps. */
export function memoryRecords(): Records & { rows: Map<string, Map<string, unknown>> } {
  const rows = new Map<string, Map<string, unknown>>([
    ['entry', new Map()],
    ['version', new Map()],
  ])
  const table = (name: string): Map<string, unknown> => rows.get(name) as Map<string, unknown>
  return {
    rows,
    get: (name, key) => table(name).get(key),
    put: (name, key, value) => void table(name).set(key, value),
    range: (name, from, to, limit) =>
      [...table(name)]
        .filter(([key]) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0)
        .sort(([a], [b]) => compareKeys(a, b))
        .slice(0, limit),
  }
}

/** A core alone: one state, a clock that the test moves, and every invariant after every decision. */
export class World {
  readonly state: State
  readonly events: Event[] = []
  at = 1_800_000_000_000
  readonly seen = new Map<string, { version: number; at: number }>()
  readonly renewedAt = new Map<number, number>()

  constructor(settings: Partial<Settings> = {}) {
    this.state = newState('main', memoryRecords())
    this.state.settings = { ...DEFAULT_SETTINGS, ...settings }
  }

  run(command: Command): Step {
    const result = this.runUnchecked(command)
    check(this.state)
    return result
  }

  runUnchecked(command: Command): Step {
    const result = step(this.state, command, {
      at: this.at,
      seen: (session, file) => this.seen.get(`${session} ${file}`),
      expiresAt: (lock) => {
        const held = this.state.locks.locks.get(lock)
        return held === undefined ? 0 : (this.renewedAt.get(lock) ?? held.grantedAt) + held.ttlMs
      },
    })
    this.events.push(...result.events)
    return result
  }

  acquire(
    who: string,
    path: string | string[],
    level: 'read' | 'write' | 'exclusive' = 'write',
    options: Partial<Extract<Command, { kind: 'acquire-lock' }>> & {
      scope?: 'file' | 'subtree'
      stable?: boolean
    } = {},
  ): Step {
    const { scope, stable, ...rest } = options
    const items = [path].flat().map((one) => ({ path: one, level, scope, stable }))
    return this.run({
      kind: 'acquire-lock',
      actor: actor(who),
      items,
      renew: 'activity',
      queue: false,
      ...rest,
    })
  }

  commit(
    who: string,
    changes: CommitChange[],
    options: Partial<Extract<Command, { kind: 'commit' }>> = {},
  ): Step {
    return this.run({
      kind: 'commit',
      actor: actor(who),
      changes,
      locks: [],
      release: false,
      ...options,
    })
  }

  write(
    who: string,
    path: string,
    text: string,
    options: { ifVersion?: number; ifNone?: boolean; locks?: number[] } = {},
  ): Step {
    const { locks, ...conditions } = options
    return this.commit(
      who,
      [
        {
          kind: 'write',
          how: 'write',
          path,
          content: { sha256: text, size: text.length },
          ...conditions,
        },
      ],
      { locks: locks ?? [] },
    )
  }

  release(who: string, lock: number): Step {
    return this.run({ kind: 'release-lock', actor: actor(who), lock, force: false })
  }

  /** Ends every lock that was not renewed for its TTL, as the lease table would. */
  expire(): Step {
    return this.run({
      kind: 'expire-locks',
      locks: [...this.state.locks.locks.keys()].map((lock) => ({
        lock,
        renewedAt: this.renewedAt.get(lock) ?? 0,
        unclaimed: false,
      })),
    })
  }
}

export function actor(who: string): Actor {
  return { agent: who, session: `${who}:default`, role: 'agent', rights: [] }
}

/** The id of the lock that a step granted. */
export function granted(result: Step): number {
  const event = result.events.find((one) => one.kind === 'lock-acquired')
  if (event === undefined)
    throw new Error(`not granted: ${JSON.stringify(result.refusal ?? result.events)}`)
  return event.revision
}
