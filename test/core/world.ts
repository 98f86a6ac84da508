import type { Event, Settings } from '../../src/contract/events.ts'
import { DEFAULT_SETTINGS } from '../../src/contract/events.ts'
import { check } from '../../src/core/check.ts'
import type { Actor, Command, CommitChange } from '../../src/core/command.ts'
import type { Records } from '../../src/core/file/entry.ts'
import { resolvePath } from '../../src/core/file/resolve-path.ts'
import { comparePlaces } from '../../src/core/lock/order.ts'
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
    this.state.locks.portable = this.state.settings.portable_names
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
      range?: { start: number; end?: number }
      key?: 'metadata'
      ifVersion?: number
    } = {},
  ): Step {
    const { scope, stable, range, key, ifVersion, ...rest } = options
    const items = [path]
      .flat()
      .map((one) => ({ path: one, level, scope, stable, range, key, ifVersion }))
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

  change(
    who: string,
    lock: number,
    to: 'read' | 'write' | 'exclusive',
    options: { queue?: boolean; stable?: boolean; ifVersion?: number } = {},
  ): Step {
    const { queue = false, ...rest } = options
    return this.run({ kind: 'change-lock', actor: actor(who), lock, to, queue, ...rest })
  }

  followUp(): Step {
    const { locks, tickets, closed } = this.state.locks
    return this.run({
      kind: 'follow-up',
      locks: [...locks.keys()],
      tickets: [...tickets.keys()],
      closed: [...closed.keys()],
      drafts: [...this.state.drafts.values()].map((draft) => draft.id),
    })
  }

  /** Puts `text` in place of the bytes `[start, end)`, as an edit does. */
  splice(
    who: string,
    path: string,
    start: number,
    end: number,
    text: string,
    options: { locks?: number[] } = {},
  ): Step {
    const before = this.text(path)
    const after = before.slice(0, start) + text + before.slice(end)
    const { entry } = resolvePath(this.state.records, path, true)
    const change = {
      kind: 'write',
      how: 'edit',
      path,
      content: { sha256: after, size: after.length },
      onto: entry?.kind === 'file' ? entry.version : 0,
      splice: { start, end, size: text.length },
    } as const
    return this.commit(who, [change], { locks: options.locks ?? [] })
  }

  /** The tests' contents are their own hashes. */
  text(path: string): string {
    const { entry } = resolvePath(this.state.records, path, true)
    return entry?.kind === 'file' ? entry.sha256 : ''
  }

  /** The version and length of a file; 0 for none. */
  file(path: string): { version: number; length: number } {
    const { entry } = resolvePath(this.state.records, path, true)
    return entry?.kind === 'file'
      ? { version: entry.version, length: entry.size }
      : { version: 0, length: 0 }
  }

  /** Who holds anything, by name. */
  get holders(): string[] {
    return [...this.state.locks.locks.values()].map(
      (lock) => lock.owner.session.split(':')[0] as string,
    )
  }

  /** Who waits, in the order of places. */
  get waiters(): string[] {
    return [...this.state.locks.tickets.values()]
      .sort(comparePlaces)
      .map((ticket) => ticket.owner.session.split(':')[0] as string)
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

/** `who` is an agent, or `agent:session`. */
export function actor(who: string, role: Actor['role'] = 'agent'): Actor {
  const [agent = who, session = 'default'] = who.split(':')
  return { agent, session: `${agent}:${session}`, role, rights: [] }
}

/** The id of the lock that a step granted. */
export function granted(result: Step): number {
  const event = result.events.find((one) => one.kind === 'lock-acquired')
  if (event === undefined)
    throw new Error(`not granted: ${JSON.stringify(result.refusal ?? result.events)}`)
  return event.revision
}
