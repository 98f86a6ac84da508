import { fail } from './errors.ts'
import type { Output } from './operations.ts'

/**
 * Waiting for a lock through as many tickets' waits as the time allows. What is asked, and over which
 * door, is the caller's; that the place is given up in the end, and what is said then, is the same for
 * all who wait longer than one call may. (A tool of MCP waits for one call only: its agent goes on.)
 */
export interface TicketWait {
  /** Seconds in all; 0: an answer at once. */
  waitS: number
  /** Milliseconds of a clock that never goes back. */
  now(): number
  /** Asks for the lock, or for another level of one, waiting so long at most. */
  ask(waitS: number): Promise<GrantAnswer>
  /** Waits for the same answer again, so long at most. */
  goOn(ticket: string, waitS: number): Promise<GrantAnswer>
  leave(ticket: string): Promise<unknown>
  /** Who is in the way, as a sentence. */
  told(queued: Queued): string
  /** Whoever aborts is told its reason, whatever the calls it ended say. */
  signal?: AbortSignal | undefined
}

export type GrantAnswer = Output<'acquire_lock'>
export type Granted = Extract<GrantAnswer, { status: 'granted' }>
export type Queued = Extract<GrantAnswer, { status: 'queued' }>

/** Seconds of one wait of a long one: well under what proxies and clients allow a silent request. */
export const WAIT_STEP_S = 20

/** Rejects with `lock_conflict` when the time is over; the ticket is given up then. */
export async function untilGranted(wait: TicketWait): Promise<Granted> {
  const { waitS, now, signal } = wait
  signal?.throwIfAborted()
  const deadline = now() + waitS * 1000
  try {
    let answer = await wait.ask(stepOf(waitS))
    while (answer.status === 'queued') {
      const { ticket, holders } = answer
      if (now() >= deadline) {
        await wait.leave(ticket)
        fail('lock_conflict', `Not granted within ${waitS} s: ${wait.told(answer)}`, { holders })
      }
      answer = await wait.goOn(ticket, stepOf((deadline - now()) / 1000))
    }
    return answer
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Seconds of the next of so many. */
function stepOf(leftS: number): number {
  return Math.round(Math.min(WAIT_STEP_S, Math.max(0, leftS)) * 1000) / 1000
}
