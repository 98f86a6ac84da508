import { type Action, FILES, FOLDERS, type Hands, onlyRefusals, termsOf } from './action.ts'

/** Taking, keeping, queueing and giving back. */
export const LOCK_ACTIONS: readonly Action[] = [
  {
    name: 'lock, write, release',
    weight: 10,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const level = chance.pick(['write', 'write', 'exclusive'] as const)
      const lock = await hands.lock(path, { ...termsOf(chance), level })
      await hands.dwell(100)
      // A lock is no knowledge of what stands there (files §9): who does not look is refused.
      if (chance.happens(0.8)) await workspace.read(path).catch(onlyRefusals)
      await workspace.write(path, hands.fresh(), chance.happens(0.7) ? { lock } : {})
      await hands.release(lock)
    },
  },
  {
    name: 'read lock, read twice',
    weight: 5,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const stable = chance.happens(0.5)
      const lock = await hands.lock(path, { ...termsOf(chance), level: 'read', stable })
      await workspace.read(path)
      await hands.dwell(80)
      await workspace.read(path)
      await hands.release(lock)
    },
  },
  {
    name: 'several paths',
    weight: 5,
    async run(hands) {
      const { chance, workspace } = hands
      const paths = FILES.filter(() => chance.happens(0.6))
      if (paths.length === 0) return
      const items = paths.map((path) => ({
        path,
        level: chance.pick(['read', 'write', 'write', 'exclusive'] as const),
      }))
      const lock = await hands.lock(items, termsOf(chance))
      await hands.dwell(80)
      const isCareful = chance.happens(0.8)
      for (const path of isCareful ? paths : []) await workspace.read(path).catch(onlyRefusals)
      const text = hands.fresh()
      const changes = items
        .filter(({ level }) => level !== 'read')
        .map(({ path }) => ({ op: 'write' as const, path, text }))
      if (changes.length === 0) return hands.release(lock)
      const release = chance.happens(0.5)
      await workspace.commit(changes, { lock, release })
      if (release) hands.client.locks.delete(lock.id)
      else await hands.release(lock)
    },
  },
  {
    name: 'a folder with all in it',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const folder = chance.pick(FOLDERS)
      const level = chance.pick(['read', 'write', 'exclusive'] as const)
      const lock = await hands.lock(folder, { ...termsOf(chance), level, scope: 'subtree' })
      const path = `${folder}/${chance.pick(['a', 'b', 'x'])}`
      if (chance.happens(0.8)) await workspace.read(path).catch(onlyRefusals)
      if (level !== 'read') await workspace.write(path, hands.fresh(), { lock })
      await hands.dwell(60)
      await hands.release(lock)
    },
  },
  {
    name: 'hold too long',
    weight: 2,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const lock = await hands.lock(path, { ...termsOf(chance), ttl: 1, renew: 'explicit' })
      await workspace.read(path).catch(onlyRefusals)
      await hands.dwell(1500)
      await workspace.write(path, hands.fresh(), { lock })
      await hands.release(lock)
    },
  },
  {
    name: 'only at this version',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const { version } = await workspace.read(path)
      const terms = { ...termsOf(chance), wait: 3, level: 'write' as const }
      const lock = await hands.lock(path, { ...terms, ifVersion: version })
      await workspace.write(path, hands.fresh(), { lock, ifVersion: version })
      await hands.release(lock)
    },
  },
  {
    name: 'forget a lock',
    weight: 1,
    async run(hands) {
      await hands.lock(hands.chance.pick(FILES), termsOf(hands.chance))
    },
  },
  {
    name: 'raise a lock',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const terms = termsOf(chance)
      const lock = await hands.lock(path, { ...terms, level: 'read' })
      await hands.dwell(30)
      const level = chance.pick(['write', 'exclusive'] as const)
      await hands.lock(path, { ...terms, level, ttl: chance.pick([1, 60]) })
      await workspace.write(path, hands.fresh(), { lock })
      await hands.release(lock)
    },
  },
  {
    name: 'queue and leave, or wait on',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      // Asked past the SDK: it would not learn that a lock it has was raised, on other terms.
      hands.client.locks.clear()
      const answer = await workspace.call('acquire_lock', { path, wait: 0, queue: true, ttl: 2 })
      if (answer.status === 'granted') {
        hands.client.locks.delete(answer.lock.id)
        await workspace.call('release_lock', { id: answer.lock.id })
        return
      }
      const { ticket } = answer
      await hands.dwell(200)
      if (chance.happens(0.5)) await workspace.call('leave_queue', { ticket })
      else await workspace.call('wait_for_lock', { ticket, wait: 1 })
      await releaseAll(hands)
    },
  },
  {
    name: 'ask twice with one request id',
    weight: 3,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(FILES)
      const input = { path, wait: 0, queue: chance.happens(0.5), request_id: hands.fresh() }
      const ask = async (): Promise<void> => {
        await workspace.call('acquire_lock', { ...input, ttl: 1 }).catch(onlyRefusals)
      }
      hands.client.locks.clear()
      const first = ask()
      if (chance.happens(0.5)) await hands.dwell(50)
      await Promise.all([first, ask()])
      await releaseAll(hands)
    },
  },
  {
    name: 'give all back',
    weight: 1,
    run: releaseAll,
  },
  {
    name: 'look at locks',
    weight: 1,
    async run({ workspace }) {
      await workspace.locks()
      await workspace.status()
    },
  },
  {
    name: 'take a lock away',
    weight: 1,
    run: takeAway,
  },
]

async function releaseAll({ client, workspace }: Hands): Promise<void> {
  client.locks.clear()
  await workspace.call('release_all_locks', {})
}

/** Only the supervisor may; from everybody else it is a refusal to be told right. */
async function takeAway({ client, workspace, chance }: Hands): Promise<void> {
  const { locks } = await workspace.locks()
  if (locks.length === 0) return
  const { id } = chance.pick(locks)
  // Its own it gives back, past the SDK.
  client.locks.delete(id)
  await workspace.call('release_lock', { id, force: true, reason: 'to see what happens' })
}
