import { expect, test } from 'vitest'
import { amountOf } from '../amount.ts'
import { VALID } from '../case/tool-arguments.ts'
import { Random, seedFrom } from '../chaos/random.ts'
import { REQUESTS_A_ROUND } from './seeds.ts'
import { fireTools, toolRound } from './tool-round.ts'
import { FORMS, formed, SHAPES } from './tool-shot.ts'

const ROUNDS = amountOf(import.meta.url)

/** A right value of each argument that the calls of `VALID` leave out. */
const OTHERS: Record<string, unknown> = {
  path: '/a',
  paths: ['/a', '/b'],
  head: 1,
  tail: 1,
  offset: 1,
  limit: 1,
  cursor: '/a',
  lock_token: 'x',
  if_version: 1,
  dryRun: true,
  recursive: false,
  sortBy: 'size',
  excludePatterns: ['d'],
  type: 'read',
  stable: true,
  ttl: 60,
  wait: 0,
  intent: 'x',
  scope: 'file',
  lines: { from: 1 },
  range: { start: 0 },
  any: 1,
  priority: 5,
  lock_id: 'L1',
  all: false,
  to: 'read',
  hand_to: 'agent-b',
  message: 'x',
  ask: 'A1',
  answer: 'no',
  estimate_s: 5,
  grace: 5,
  reason: 'x',
}

test('F1, F2, F4: every tool takes every argument in every form, or refuses it and changes nothing', async () => {
  const shots = [...SHAPES].flatMap(([tool, names]) =>
    names.flatMap((name) => {
      const mayWait = names.includes('wait') ? { wait: 0 } : {}
      const args = { ...VALID[tool], ...mayWait }
      const value = args[name as keyof typeof args] ?? OTHERS[name]
      expect(value, `${tool} has an argument ${name} that has no value here`).toBeDefined()
      return FORMS.map((form) => formed('agent-a', tool, { ...args, [name]: value }, name, form))
    }),
  )
  for (let from = 0; from < shots.length; from += REQUESTS_A_ROUND) {
    expect(await fireTools(shots.slice(from, from + REQUESTS_A_ROUND))).toMatchObject({
      faults: [],
    })
  }
}, 120_000)

test('F1+, F2+, F6+: whatever arguments come, each call is answered, true to its schema, and a refusal changes nothing', async () => {
  const seed = seedFrom(process.env.SLUICE_TEST_SEED)
  console.log(`${ROUNDS * REQUESTS_A_ROUND} calls, SLUICE_TEST_SEED=${seed}`)
  const random = new Random(seed)
  for (let round = 0; round < ROUNDS; round++) {
    const roundSeed = random.int(2 ** 31)
    expect(await toolRound(roundSeed, REQUESTS_A_ROUND)).toMatchObject({ faults: [] })
  }
}, 600_000)
