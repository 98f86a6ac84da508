import type { Output } from '../../src/contract/operations.ts'
import { type Action, FILES, type Hands, onlyRefusals, termsOf } from './action.ts'

/** What sessions do with each other's locks, and the rarer ways of asking for one. */
export const COORDINATION_ACTIONS: readonly Action[] = [
  {
    name: 'stronger, then weaker',
    weight: 4,
    async run(hands) {
      const { chance, workspace, client } = hands
      const path = chance.pick(FILES)
      const lock = await hands.lock(path, { ...termsOf(chance), level: 'read' })
      const to = chance.pick(['write', 'exclusive'] as const)
      const wait = chance.pick([0, 1, 3])
      const { id } = lock
      let answer = await workspace.call('change_lock', { id, to, wait, queue: wait > 0 })
      if (answer.status === 'queued') {
        const { ticket } = answer
        answer = await workspace.call('wait_for_lock', { ticket, wait: 2 })
        if (answer.status === 'queued') await workspace.call('leave_queue', { ticket })
      }
      if (answer.status === 'granted') await workspace.write(path, hands.fresh(), { lock })
      await hands.dwell(40)
      await workspace.call('change_lock', { id, to: 'read', stable: chance.happens(0.5) })
      await workspace.read(path)
      client.locks.delete(id)
      await hands.release(lock)
    },
  },
  {
    name: 'hand over',
    weight: 2,
    async run(hands) {
      const { chance, workspace, client } = hands
      const lock = await hands.lock(chance.pick(FILES), { ...termsOf(chance), level: 'write' })
      const { locks, waiting } = await workspace.locks()
      const others = [...locks, ...waiting]
        .map((one) => one.session)
        .filter((session) => session !== client.sluice?.session)
      if (others.length === 0) return hands.release(lock)
      client.locks.delete(lock.id)
      await workspace.call('handover_lock', { id: lock.id, to: chance.pick(others) })
    },
  },
  {
    name: 'ask the holder',
    weight: 2,
    async run(hands) {
      const other = await somebodys(hands)
      if (other === undefined) return
      await hands.workspace.call('ask_holder', { id: other.id, message: 'how long?' })
    },
  },
  {
    name: 'answer who asked',
    weight: 3,
    run: answerAsks,
  },
  {
    name: 'recall',
    weight: 1,
    async run(hands) {
      const other = await somebodys(hands)
      if (other === undefined) return
      await hands.workspace.call('recall_lock', { id: other.id, reason: 'needed', grace: 1 })
    },
  },
  {
    name: 'more time',
    weight: 1,
    async run({ client, workspace, chance }) {
      const [id] = [...client.locks.keys()].filter(() => chance.happens(0.7))
      if (id !== undefined) await workspace.call('extend_recall', { id })
    },
  },
  {
    name: 'any of several',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const items = FILES.map((path) => ({ path }))
      const any = 1 + chance.int(2)
      const wait = chance.pick([0, 1])
      const answer = await workspace.call('acquire_lock', { items, any, ttl: 4, wait })
      await heldFor(hands, answer, 40)
    },
  },
  {
    name: 'a range',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const start = chance.int(4)
      const range = chance.happens(0.3) ? { start } : { start, end: start + 1 + chance.int(3) }
      const level = chance.pick(['read', 'write', 'exclusive'] as const)
      const answer = await workspace.call('acquire_lock', { path, range, level, ttl: 4, wait: 1 })
      await heldFor(hands, answer, 40)
    },
  },
  {
    name: 'labels',
    weight: 1,
    async run(hands) {
      const path = hands.chance.pick(FILES)
      const input = { path, key: 'metadata', ttl: 2, wait: 1 } as const
      const answer = await hands.workspace.call('acquire_lock', input)
      await heldFor(hands, answer, undefined)
    },
  },
  {
    name: 'hold with a delay after it',
    weight: 1,
    async run(hands) {
      const path = hands.chance.pick(FILES)
      hands.client.locks.clear()
      await hands.workspace.call('acquire_lock', { path, ttl: 1, renew: 'explicit', lock_delay: 2 })
      await hands.dwell(1500)
    },
  },
]

/** Gives up the place, or holds what it got for a while and gives it back. */
async function heldFor(
  hands: Hands,
  answer: Output<'acquire_lock'>,
  dwellMs: number | undefined,
): Promise<void> {
  const { workspace, client } = hands
  if (answer.status === 'queued') {
    await workspace.call('leave_queue', { ticket: answer.ticket })
    return
  }
  if (dwellMs !== undefined) await hands.dwell(dwellMs)
  client.locks.delete(answer.lock.id)
  await workspace.call('release_lock', { id: answer.lock.id })
}

type Facts = Output<'list_locks'>['locks'][number]

async function somebodys({ workspace, chance, client }: Hands): Promise<Facts | undefined> {
  const { locks } = await workspace.locks()
  return chance.pick(locks.filter((one) => one.session !== client.sluice?.session))
}

/** What the server told this session is told again in its status. */
async function answerAsks({ workspace, client, chance }: Hands): Promise<void> {
  const { messages } = await workspace.status()
  for (const message of messages) {
    const ask = /\bA\d+\b/.exec(JSON.stringify(message))?.[0]
    if (ask === undefined) continue
    const answer = chance.pick(['yield', 'estimate', 'no'] as const)
    // Whichever lock it is about goes at once.
    if (answer === 'yield') client.locks.clear()
    const estimate = answer === 'estimate' ? { estimate_s: 3 } : {}
    await workspace.call('answer_ask', { ask, answer, ...estimate }).catch(onlyRefusals)
  }
}
