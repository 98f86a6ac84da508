import type { Input } from '../contract/operations.ts'
import { type Granted, type Queued, untilGranted } from '../contract/ticket-wait.ts'
import { CLI_STOPPED } from './exit-code.ts'
import type { HttpDoor } from './http-door.ts'
import { printable, untilText } from './text.ts'

/** What is asked at first: a lock, or another level of one. */
export type Wanted =
  | { operation: 'acquire_lock'; input: Input<'acquire_lock'> }
  | { operation: 'change_lock'; input: Input<'change_lock'> }

/** Asks first without waiting: what there is to give back is known then to whoever is stopped. */
export async function waitForGrant(
  door: HttpDoor,
  { operation, input }: Wanted,
  waitS: number,
): Promise<Granted> {
  const workspace = input.workspace === undefined ? {} : { workspace: input.workspace }
  const leave = async (ticket: string) => door.call('leave_queue', { ...workspace, ticket })
  const stop = new Stop()
  if (waitS > 0) stop.listen()
  try {
    return await untilGranted({
      waitS,
      now: () => performance.now(),
      told: holdersOf,
      leave,
      async ask() {
        const first = { ...input, queue: waitS > 0, wait: 0 }
        const answer = await door.call(operation, first as Input<typeof operation>)
        if (answer.status === 'queued') sayWaiting(answer)
        else if (operation === 'acquire_lock') {
          const { id } = answer.lock
          await stop.holds(async () => door.call('release_lock', { ...workspace, id }))
        }
        return answer
      },
      async goOn(ticket, stepS) {
        await stop.holds(() => leave(ticket))
        return door.call('wait_for_lock', { ...workspace, ticket, wait: stepS })
      },
    })
  } finally {
    stop.unlisten()
  }
}

/** Whoever is stopped while it asks or waits leaves no place in the queue behind, and no lock. */
class Stop {
  private isAsked = false
  private giveBack: (() => Promise<unknown>) | undefined
  private late: NodeJS.Timeout | undefined

  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.onSignal)
  }

  /** Once it is asked for, the process ends by it. */
  unlisten(): void {
    clearTimeout(this.late)
    if (this.isAsked) return
    for (const signal of SIGNALS) process.off(signal, this.onSignal)
  }

  /** What is to be given back from now on; at once, where that was asked for already. */
  async holds(giveBack: () => Promise<unknown>): Promise<void> {
    this.giveBack = giveBack
    if (this.isAsked) await this.end()
  }

  // A signal may come twice, from a terminal and from whoever started us; leaving goes on then.
  private readonly onSignal = (): void => {
    if (this.isAsked) return
    this.isAsked = true
    if (this.giveBack !== undefined) void this.end()
    // The first answer is on the way, and says what there is to give back.
    else this.late = setTimeout(exitStopped, ANSWER_MS)
  }

  private async end(): Promise<never> {
    await this.giveBack?.().catch(() => undefined)
    return exitStopped()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const ANSWER_MS = 3000
const exitStopped = (): never => process.exit(CLI_STOPPED)

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
