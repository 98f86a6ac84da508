import { describe, expect, it } from 'vitest'
import { LockModel } from '../../sim/model/lock-model.ts'
import {
  DEFAULT_SETTINGS,
  type Event,
  type Level,
  type Settings,
} from '../../src/contract/events.ts'
import { actor } from '../core/world.ts'

/** Facts written down by hand, so that the model is told of decisions that the core never takes. */
class Facts {
  readonly model: LockModel
  at = 1_800_000_000_000
  private revision = 0

  constructor(settings: Partial<Settings> = {}) {
    this.model = new LockModel({ ...DEFAULT_SETTINGS, ...settings })
  }

  private fact(who: string, rest: object): Event {
    this.revision += 1
    const { agent, session } = actor(who)
    return { revision: this.revision, at: this.at, agent, session, ...rest } as Event
  }

  private terms(paths: string, level: Level) {
    const items = paths.split(' ').map((path) => ({ path, level, scope: 'file' }))
    return { items, ttlMs: 1000, renew: 'activity' }
  }

  acquired(who: string, paths: string, level: Level, ticket?: number): Event {
    const rest = ticket === undefined ? {} : { ticket }
    const kind = 'lock-acquired'
    return this.fact(who, { kind, ...this.terms(paths, level), versions: [0], ...rest })
  }

  queued(who: string, paths: string, level: Level): Event {
    return this.fact(who, { kind: 'lock-queued', ...this.terms(paths, level) })
  }

  released(who: string, lock: number): Event {
    return this.fact(who, { kind: 'lock-released', lock, reason: 'released' })
  }

  judge(...events: Event[]): void {
    this.model.judge(events)
  }

  deadlock(who: string, path: string, level: Level): void {
    const items = [{ path, level }]
    const terms = { renew: 'activity', queue: true } as const
    const command = { kind: 'acquire-lock', actor: actor(who), items, ...terms } as const
    this.model.judge([], { command, at: this.at, refusal: { code: 'deadlock' } })
  }
}

describe('what the model says no to', () => {
  it('locks §1: somebody beside an exclusive hold', () => {
    const facts = new Facts()
    facts.judge(facts.acquired('ann', '/f', 'exclusive'))
    expect(() => facts.judge(facts.acquired('bob', '/f/a', 'read'))).toThrow(/^I1/)
  })

  it('a writer that goes before the readers of its phase, and readers that stay out', () => {
    for (const isWriterFirst of [true, false]) {
      const facts = new Facts()
      facts.judge(facts.acquired('ann', '/f', 'exclusive'))
      facts.judge(facts.queued('bob', '/f', 'exclusive'))
      facts.judge(facts.queued('cyd', '/f', 'read'))
      const released = facts.released('ann', 1)
      const next = isWriterFirst
        ? facts.acquired('bob', '/f', 'exclusive', 2)
        : facts.acquired('cyd', '/f', 'read', 3)
      const isRight = !isWriterFirst
      const judged = expect(() => facts.judge(released, next))
      if (isRight) judged.not.toThrow()
      else judged.toThrow(/^locks §18: T2 went before the reader T3/)
    }
  })

  it('a reader that comes when the moment of the phase is over', () => {
    const facts = new Facts()
    facts.judge(facts.acquired('ann', '/f', 'read'))
    facts.judge(facts.queued('bob', '/f', 'exclusive'))
    expect(() => facts.judge(facts.acquired('cyd', '/f', 'read'))).toThrow(/^I7/)
  })

  it('a deadlock where one that waits could let the requester go first', () => {
    const facts = new Facts()
    for (const [who, path] of [
      ['zoe', '/h'],
      ['ann', '/x'],
      ['cyd', '/y'],
    ] as const) {
      facts.judge(facts.acquired(who, path, 'write'))
    }
    facts.judge(facts.queued('bob', '/h /y', 'write'))
    facts.judge(facts.queued('cyd', '/x', 'write'))
    // Behind bob, who waits for cyd, who waits for ann; directly ahead of him she waits for zoe only.
    expect(() => facts.deadlock('ann', '/h', 'write')).toThrow(/^locks §24: .*not lock-queued/)
    expect(() => facts.deadlock('ann', '/y', 'write')).not.toThrow()
    expect(() => facts.deadlock('eve', '/y', 'write')).toThrow(/^locks §24/)
  })
})
