import type { Input } from '../contract/operations.ts'
import { type Granted, type Queued, untilGranted } from '../contract/ticket-wait.ts'
import { CLI_STOPPED } from './exit-code.ts'
import type { HttpDoor } from './http-door.ts'
import { printable, untilText } from './text.ts'

/** What is asked at first: a lock, or another level of one. */
export type Wanted =
  | { operation: 'acquire_lock'; input: Input<'acquire_lock'> }
  | { operation: 'change_lock'; input: Input<'change_lock'> }

/** Asks first without waiting: the ticket is known then, and is given up by whoever stops this. */
export async function waitForGrant(
  door: HttpDoor,
  { operation, input }: Wanted,
  waitS: number,
): Promise<Granted> {
  const workspace = input.workspace === undefined ? {} : { workspace: input.workspace }
  const leave = (ticket: string) => door.call('leave_queue', { ...workspace, ticket })
  return untilGranted({
    waitS,
    now: () => performance.now(),
    told: holdersOf,
    leave,
    async ask() {
      const first = { ...input, queue: waitS > 0, wait: 0 }
      const answer = await door.call(operation, first as Input<typeof operation>)
      if (answer.status === 'queued') sayWaiting(answer)
      return answer
    },
    goOn(ticket, stepS) {
      const waiting = door.call('wait_for_lock', { ...workspace, ticket, wait: stepS })
      return interruptible(waiting, () => leave(ticket))
    },
  })
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
