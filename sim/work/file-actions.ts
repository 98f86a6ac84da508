import { type Action, COUNTERS, FILES, LOGS, termsOf } from './action.ts'

/** Reading and writing, with locks and without. */
export const FILE_ACTIONS: readonly Action[] = [
  {
    name: 'count',
    weight: 10,
    async run(hands) {
      const { chance, workspace } = hands
      const path = chance.pick(COUNTERS)
      const lock = await hands.lock(path, { ...termsOf(chance), level: 'write' })
      const before = Number((await workspace.read(path)).text())
      await hands.dwell(60)
      await workspace.write(path, String(before + 1), { lock })
      await hands.release(lock)
    },
  },
  {
    name: 'read',
    weight: 6,
    async run({ chance, workspace }) {
      await workspace.read(chance.pick(FILES))
    },
  },
  {
    name: 'read, write without a lock',
    weight: 4,
    async run(hands) {
      const path = hands.chance.pick(FILES)
      const { version } = await hands.workspace.read(path)
      const terms = hands.chance.happens(0.5) ? { ifVersion: version } : {}
      await hands.workspace.write(path, hands.fresh(), terms)
    },
  },
  {
    name: 'append',
    weight: 6,
    async run(hands) {
      await hands.workspace.append(hands.chance.pick(LOGS), `${hands.fresh()}\n`)
    },
  },
  {
    name: 'append, then write all of it',
    weight: 2,
    async run(hands) {
      const path = hands.chance.pick(FILES)
      if (hands.chance.happens(0.3)) await hands.workspace.read(path)
      await hands.workspace.append(path, `${hands.fresh()}\n`)
      await hands.workspace.write(path, hands.fresh())
    },
  },
  {
    name: 'edit',
    weight: 3,
    async run(hands) {
      const path = hands.chance.pick(FILES)
      const oldText = (await hands.workspace.read(path)).text()
      await hands.workspace.edit(path, [{ oldText, newText: hands.fresh() }])
    },
  },
  {
    name: 'delete and make anew',
    weight: 1,
    async run(hands) {
      const path = hands.chance.pick(FILES)
      await hands.workspace.read(path)
      await hands.workspace.delete(path)
      await hands.workspace.write(path, hands.fresh(), { ifNone: true })
    },
  },
  {
    name: 'commit several',
    weight: 3,
    async run(hands) {
      const text = hands.fresh()
      const paths = FILES.filter(() => hands.chance.happens(0.5))
      if (paths.length === 0) return
      const changes = paths.map((path) => ({ op: 'write' as const, path, text }))
      await Promise.all(paths.map((path) => hands.workspace.read(path)))
      await hands.workspace.commit(changes)
    },
  },
]
