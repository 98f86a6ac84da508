import { expect, test } from 'vitest'
import { type GrantAnswer, type TicketWait, untilGranted } from '../../src/contract/ticket-wait.ts'
import { codeOf } from './killable.ts'

const queued = (ticket: string) => ({ status: 'queued', ticket, holders: [] }) as never
const granted = { status: 'granted', lock: { id: 'L1' } } as never

/** A wait on a clock that each call moves by what it waited. */
function waitOf(waitS: number, answers: GrantAnswer[], more: Partial<TicketWait> = {}) {
  const said: string[] = []
  let nowMs = 0
  const answer = async (call: string, waitedS: number): Promise<GrantAnswer> => {
    said.push(`${call} ${waitedS}`)
    nowMs += waitedS * 1000
    return answers.shift() as GrantAnswer
  }
  const wait: TicketWait = {
    waitS,
    now: () => nowMs,
    ask: (stepS) => answer('ask', stepS),
    goOn: (ticket, stepS) => answer(ticket, stepS),
    leave: async (ticket) => said.push(`leave ${ticket}`),
    told: () => 'somebody is in the way.',
    ...more,
  }
  return { wait, said }
}

test('a wait goes through as many tickets as the time allows', async () => {
  const { wait, said } = waitOf(50, [queued('T1'), queued('T1'), granted])
  expect(await untilGranted(wait)).toBe(granted)
  expect(said).toEqual(['ask 20', 'T1 20', 'T1 10'])
})

test('when the time is over the ticket is given up, and who is in the way is told', async () => {
  const { wait, said } = waitOf(25, [queued('T1'), queued('T1')])
  await expect(untilGranted(wait)).rejects.toMatchObject({
    code: 'lock_conflict',
    message: 'Not granted within 25 s: somebody is in the way.',
  })
  expect(said).toEqual(['ask 20', 'T1 5', 'leave T1'])
  const once = waitOf(0, [queued('T2')])
  expect(await codeOf(untilGranted(once.wait))).toBe('lock_conflict')
  expect(once.said).toEqual(['ask 0', 'leave T2'])
})

test('who aborts is told so in its own words, and nothing is asked after that', async () => {
  const stop = new AbortController()
  const goOn = async () => {
    stop.abort(new Error('enough'))
    throw new Error('the call was given up')
  }
  const { wait, said } = waitOf(50, [queued('T1')], { signal: stop.signal, goOn })
  await expect(untilGranted(wait)).rejects.toThrow('enough')
  await expect(untilGranted(wait)).rejects.toThrow('enough')
  expect(said).toEqual(['ask 20'])
})
