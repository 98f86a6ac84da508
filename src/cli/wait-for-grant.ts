import { problemOf, refuse, SluiceError } from '../contract/errors.ts'
import type { Input, Output } from '../contract/operations.ts'
import { CLI_STOPPED } from './exit-code.ts'
import type { HttpDoor } from './http-door.ts'
import { printable, untilText } from './text.ts'

type Answer = Output<'acquire_lock'>
type Granted = Extract<Answer, { status: 'granted' }>
type Queued = Extract<Answer, { status: 'queued' }>

/** One wait of a long one: well under what proxies allow a silent request. */
const STEP_S = 20

/** What is asked at first: a lock, or another level of one. */
export type Wanted =
  | { operation: 'acquire_lock'; input: Input<'acquire_lock'> }
  | { operation: 'change_lock'; input: Input<'change_lock'> }

/** Asks, waiting through as many tickets' waits as that takes; gives the ticket up in the end. */
export async function waitForGrant(
  door: HttpDoor,
  { operation, input }: Wanted,
  waitS: number,
): Promise<Granted> {
  const deadline = performance.now() + waitS * 1000
  const step = (): number => {
    const leftS = Math.max(0, deadline - performance.now()) / 1000
    return Math.round(Math.min(STEP_S, leftS) * 1000) / 1000
  }
  const workspace = input.workspace === undefined ? {} : { workspace: input.workspace }
  const first = { ...input, queue: waitS > 0, wait: 0 }
  let answer: Answer = await door.call(operation, first as Input<typeof operation>)
  if (answer.status === 'queued') sayWaiting(answer)
  while (answer.status === 'queued') {
    const { ticket } = answer
    const leave = async (): Promise<unknown> => door.call('leave_queue', { ...workspace, ticket })
    if (performance.now() >= deadline) {
      await leave()
      throw notGranted(answer, waitS)
    }
    const wait = { ...workspace, ticket, wait: step() }
    answer = await interruptible(door.call('wait_for_lock', wait), leave)
  }
  return answer
}

/** Whoever stops waiting must not leave a place in the queue behind. */
async function interruptible<T>(waiting: Promise<T>, leave: () => Promise<unknown>): Promise<T> {
  let isLeaving = false
  // A signal may come twice, from a terminal and from whoever started us; leaving goes on then.
  const onSignal = (): void => {
    if (isLeaving) return
    isLeaving = true
    const end = (): never => process.exit(CLI_STOPPED)
    leave().then(end, end)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await waiting
  } finally {
    if (!isLeaving) {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    }
  }
}

function sayWaiting(queued: Queued): void {
  if (process.stderr.isTTY !== true) return
  process.stderr.write(`Waiting, place ${queued.position} in the queue: ${holdersOf(queued)}\n`)
}

function notGranted(queued: Queued, waitS: number): SluiceError {
  const { holders } = queued
  const detail = `Not granted within ${waitS} s: ${holdersOf(queued)}`
  return new SluiceError(problemOf(refuse('lock_conflict', detail, { holders })))
}

function holdersOf({ holders }: Queued): string {
  if (holders.length === 0) return 'earlier requests are ahead.'
  const texts = holders.map(({ session, level, path, intent, closed_until }) => {
    if (closed_until !== undefined) {
      return `${path} is closed and opens ${untilText(closed_until)}, as ${session} lost its lock`
    }
    const why = intent === undefined ? '' : ` for "${intent}"`
    return `${session} holds ${path} (${level})${why}`
  })
  return printable(`${texts.join(', ')}.`)
}
