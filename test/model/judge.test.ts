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

  raised(who: string, lock: number, path: string, level: Level): Event {
    const kind = 'lock-raised'
    return this.fact(who, { kind, lock, ...this.terms(path, level), versions: [0] })
  }

  handedOver(who: string, lock: number, to: string): Event {
    const { agent, session } = actor(to)
    return this.fact(who, { kind: 'lock-handed-over', lock, to: { agent, session } })
  }

  recalled(who: string, lock: number, reason: string, deadline: number): Event {
    return this.fact(who, { kind: 'lock-recalled', lock, reason, deadline, for: 'bob' })
  }

  revoked(who: string, lock: number): Event {
    return this.fact(who, { kind: 'lock-released', lock, reason: 'revoked' })
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
  const terms = { max_hold_s: 10, minimum_hold_s: 5, recall_grace_s: 1 }

  it('a recall that is forgotten in a handover, or comes before its deadline', () => {
    const facts = new Facts(terms)
    facts.judge(facts.acquired('ann', '/f', 'write'))
    facts.judge(facts.queued('bob', '/f', 'write'))
    facts.at += 10_000
    facts.judge(facts.recalled('ann', 1, 'max-hold', facts.at + 1000))
    facts.judge(facts.handedOver('ann', 1, 'cyd'))
    expect(() => facts.judge(facts.revoked('cyd', 4))).toThrow(/^locks §39/)
    expect(() => facts.judge(facts.recalled('cyd', 4, 'max-hold', facts.at + 6000))).toThrow(
      /^locks §38: L4 is recalled already/,
    )
    facts.at += 1000
    const next = [facts.revoked('cyd', 4), facts.acquired('bob', '/f', 'write', 2)]
    expect(() => facts.judge(...next)).not.toThrow()
  })

  it('max_hold counted from anything but the first grant', () => {
    const facts = new Facts(terms)
    facts.judge(facts.acquired('ann', '/f', 'read'))
    facts.at += 9000
    facts.judge(facts.raised('ann', 1, '/f', 'write'))
    facts.judge(facts.queued('bob', '/f', 'write'))
    const early = facts.recalled('ann', 1, 'max-hold', facts.at + 6000)
    expect(() => facts.judge(early)).toThrow(/^locks §25/)
    facts.at += 1000
    const inTime = facts.recalled('ann', 1, 'max-hold', facts.at + 5000)
    // Held for long, and raised a second ago: the minimum hold begins with the raise.
    expect(() => facts.judge(inTime)).not.toThrow()
  })
})
