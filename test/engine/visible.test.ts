import { describe, expect, it } from 'vitest'
import { SluiceError } from '../../src/contract/errors.ts'
import { EVENT_KIND_NAMES, EVENT_KINDS, type Event, eventRowOf } from '../../src/contract/events.ts'
import type { Input, OperationName } from '../../src/contract/operations.ts'
import { mayHear } from '../../src/engine/audit/audience.ts'
import { EngineWorld } from './world.ts'

const TREE = { workspace: 'main', settings: { portable_names: true } }
const OPEN = [{ workspace: '*', path: '/open', access: 'read' as const }]
const limited = { agent: 'ann', session: 'ann:x', role: 'agent' as const, rights: OPEN }
const supervisor = { agent: 'sue', session: 'sue:x', role: 'supervisor' as const, rights: OPEN }

describe('who hears of a fact (contract §10)', () => {
  const ofBob = (kind: Event['kind']) =>
    ({ kind, agent: 'bob', session: 'bob:x', revision: 1, at: 0 }) as Event

  it.each(EVENT_KIND_NAMES.filter((kind) => EVENT_KINDS[kind].audience === 'readers'))(
    '%s is kept back where its paths are not known',
    (kind) => {
      for (const unknown of [undefined, []]) {
        expect(mayHear(ofBob(kind), unknown, limited, TREE)).toBe(false)
        expect(mayHear(ofBob(kind), unknown, supervisor, TREE)).toBe(true)
      }
      expect(mayHear(ofBob(kind), ['/open/f'], limited, TREE)).toBe(true)
      expect(mayHear(ofBob(kind), ['/open/f', '/shut'], limited, TREE)).toBe(false)
    },
  )

  it('what has paths is for those who may read them, whatever the kind', () => {
    const wrong = EVENT_KIND_NAMES.filter((kind) => {
      const { about, audience } = eventRowOf(kind)
      return about !== 'nothing' && audience !== 'readers' && audience !== 'agent'
    })
    expect(wrong).toEqual([])
  })

  it('every earlier version of a kind is lifted to the newest', () => {
    for (const kind of EVENT_KIND_NAMES) {
      const { version, upcasts } = eventRowOf(kind)
      const earlier = Array.from({ length: version - 1 }, (_, index) => String(index + 1))
      expect(Object.keys(upcasts), kind).toEqual(earlier)
    }
  })
})

describe('locks by their number (contract §10)', () => {
  const calls: { [N in OperationName]?: (id: string) => Input<N> } = {
    get_lock: (id) => ({ id }),
    renew_lock: (id) => ({ id }),
    release_lock: (id) => ({ id }),
    change_lock: (id) => ({ id, to: 'read' as const }),
    handover_lock: (id) => ({ id, to: 'ann' }),
    extend_recall: (id) => ({ id }),
    ask_holder: (id) => ({ id, message: 'how long?' }),
  }

  it.each(Object.keys(calls) as OperationName[])(
    '%s tells nothing of a lock on a path that one may not read, held or ended',
    async (name) => {
      const world = await EngineWorld.start()
      await world.addAgent('out', { rights: OPEN })
      const held = (await world.lock('bob', '/secret/plan')).lock.id
      const ended = (await world.lock('bob', '/secret/old')).lock.id
      await world.call('bob', 'release_lock', { id: ended })
      const input = calls[name] as (id: string) => never
      const said = async (id: string): Promise<string> => {
        const answer = await world.call('out', name, input(id)).catch((error: unknown) => {
          if (!(error instanceof SluiceError)) throw error
          return error.problem
        })
        return JSON.stringify(answer).replaceAll(id, 'L?')
      }
      const ofNone = await said('L99999')
      expect(await said(held)).toBe(ofNone)
      expect(await said(ended)).toBe(ofNone)
    },
  )

  it('wait_for_lock and leave_queue tell nothing of a ticket on such a path', async () => {
    const world = await EngineWorld.start()
    await world.addAgent('out', { rights: OPEN })
    await world.lock('bob', '/secret/plan')
    const queued = await world.call('cyd', 'acquire_lock', { path: '/secret/plan', queue: true })
    const ticket = queued.status === 'queued' ? queued.ticket : ''
    expect(await world.code(world.call('out', 'wait_for_lock', { ticket, wait: 0 }))).toBe(
      'ticket_gone',
    )
    expect(await world.call('out', 'leave_queue', { ticket })).toEqual({ left: false })
    const { tickets } = await world.call('cyd', 'workspace_status', {})
    expect(tickets).toHaveLength(1)
  })
})
