import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../src/contract/events.ts'
import type { Records } from '../../src/core/file/entry.ts'
import { newState, type State } from '../../src/core/state.ts'
import { restoreSnapshot, takeSnapshot } from '../../src/engine/stream/snapshot.ts'

/**
 * Where a start finds each part of a state again: in these parts of a snapshot. A new one needs its line
 * here, and its part there; else it would be forgotten at the next start, and no sooner.
 */
const PARTS_OF: { readonly [K in keyof State]: readonly string[] } = {
  // Of the stream, or beside the parts.
  workspace: [],
  revision: [],
  at: [],
  // In the tables.
  records: [],
  settings: ['settings'],
  nextFileId: ['nextFileId'],
  locks: ['locks', 'tickets', 'closed', 'stale', 'preferred', 'streaks', 'ended'],
  asks: ['asks'],
  drafts: ['drafts'],
  answers: ['answers'],
  directory: ['agents', 'groups', 'sessions', 'workspaces'],
}

const stateOf = () => newState('main', {} as Records)

describe('a snapshot', () => {
  it('I13: has every part of a state that lives in memory', () => {
    const parts = takeSnapshot(stateOf()).parts.map(([name]) => name)
    expect(Object.values(PARTS_OF).flat().sort()).toEqual(parts.sort())
  })

  it('I13, locks §11: has the answers of each session, also as earlier releases kept them', () => {
    const pairs = [
      ['a', 5],
      ['b', 7],
    ]
    const before = stateOf()
    const parts = takeSnapshot(before).parts.map((part) =>
      part[0] === 'answers' ? ['answers', 1, [['ann:desk', pairs]]] : part,
    )
    restoreSnapshot(before, { ...takeSnapshot(before), parts })
    const after = stateOf()
    restoreSnapshot(after, takeSnapshot(before))
    expect([...(after.answers.get('ann:desk')?.entries() ?? [])]).toEqual(pairs)
  })

  it('I13: of a release that knew fewer settings has the others at their defaults', () => {
    const snapshot = takeSnapshot(stateOf())
    const { lock_ttl_s: _, ...fewer } = { ...DEFAULT_SETTINGS, write_mode: 'locked' as const }
    const parts = snapshot.parts.map((part) =>
      part[0] === 'settings' ? [part[0], 1, fewer] : part,
    )
    const state = stateOf()
    restoreSnapshot(state, { ...snapshot, revision: 1, parts })
    expect(state.settings).toEqual({ ...DEFAULT_SETTINGS, write_mode: 'locked' })
  })
})
