import { SluiceError } from '../../src/contract/errors.ts'
import { broken } from '../history.ts'
import { type Action, FILES, onlyRefusals, termsOf } from './action.ts'

/** Several callers on one connection, and waits that are given up. */
export const CALLER_ACTIONS: readonly Action[] = [
  {
    name: 'two callers of one connection',
    weight: 3,
    async run(hands) {
      const { chance, client } = hands
      const { sluice } = client
      if (sluice === undefined) return
      const path = chance.pick(FILES)
      const holder = sluice.as('one').workspace()
      const other = sluice.as('two').workspace()
      await holder.read(path).catch(onlyRefusals)
      const lock = await holder.lock(path, { ...termsOf(chance), level: 'exclusive' })
      client.hold(lock)
      await hands.dwell(40)
      const passed = await other.append(path, `${hands.fresh()}\n`).then(
        () => lock.state === 'held',
        (error: unknown) => {
          onlyRefusals(error)
          return false
        },
      )
      if (passed) broken('guard §1', `a caller of ${client.name} got past ${lock.id} of another`)
      if (chance.happens(0.5)) await holder.write(path, hands.fresh(), { lock })
      await hands.release(lock)
      if (chance.happens(0.1)) await sluice.as('two').close()
    },
  },
  {
    name: 'give up waiting',
    weight: 4,
    async run(hands) {
      const { chance, client } = hands
      const stop = new AbortController()
      const wait = chance.pick([0, 1, 5, 15])
      const level = chance.pick(['read', 'write', 'exclusive'] as const)
      const terms = { ...termsOf(chance), wait, level, signal: stop.signal }
      const asked = hands.lock(chance.pick(FILES), terms)
      // Whoever waits for it hears of it below.
      asked.catch(() => {})
      await client.sleep(chance.around(chance.pick([1, 10, 200])))
      const wasOpen = !stop.signal.aborted
      stop.abort()
      const lock = await asked.catch((error: unknown) => {
        if (!(error instanceof SluiceError) && !stop.signal.aborted) throw error
        return undefined
      })
      if (lock === undefined) return
      if (!wasOpen) broken('locks §10', `${client.name} gave up, and was granted ${lock.id}`)
      await hands.release(lock)
    },
  },
]
