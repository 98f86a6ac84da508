import { ERRORS, SluiceError } from '../../src/contract/errors.ts'
import type { OperationName } from '../../src/contract/operations.ts'
import {
  type Answer,
  type CancelSignal,
  CONNECTION_LOST,
  type Request,
} from '../../src/engine/api.ts'
import { broken } from '../history.ts'

/** Refusals that say that nothing was decided: a retry may well get another answer. */
const UNDECIDED: ReadonlySet<string> = new Set([
  'overloaded',
  'server_full',
  'read_only_mode',
  'unauthenticated',
  'rate_limited',
  'internal',
])

/**
 * I10: the same request id gets the same answer, however often it is asked and over however many
 * restarts. Answers are compared where they leave the engine, so lost ones count too.
 */
export class Answers {
  private readonly known = new Map<string, string>()
  /** How often memory was lost. */
  private losses = 0

  /** Nobody waits for the sync of a refusal: what was in memory alone is decided anew. */
  forgetRefusals(): void {
    this.losses += 1
    for (const [key, told] of this.known) if (told.startsWith('refused')) this.known.delete(key)
  }

  follow(
    request: Request<OperationName>,
    answer: Promise<Answer<OperationName>>,
    isFact: (session: string, requestId: string) => boolean,
    fail: (error: unknown) => void,
  ): void {
    const { request_id: id } = request.input as { request_id?: string }
    if (id === undefined) return
    const { losses } = this
    const compare = (told: string | undefined): void => {
      if (told === undefined || isGivenUp(request.signal)) return
      const key = `${request.caller.session} ${id} ${request.operation}`
      const before = this.known.get(key)
      if (before === undefined) this.known.set(key, told)
      else if (!isSame(before, told)) {
        broken('I10', `${key} was answered ${before}, then ${told}`)
      }
    }
    answer
      .then(
        ({ value }) => {
          const told = value as Record<string, unknown>
          // Told of what is held already, or of what another request came to, it decided nothing, and
          // may be told something else by the next time.
          const isOther = 'status' in told && !isFact(request.caller.session, id)
          if (told.already_held !== true && !isOther) compare(essence(told))
        },
        (error: unknown) => {
          // One that was decided before a loss and told after it is forgotten too.
          if (losses !== this.losses) return
          if (error instanceof SluiceError && !UNDECIDED.has(error.code)) {
            compare(`refused ${error.code}`)
          }
        },
      )
      .catch(fail)
  }
}

/** What of an answer must not change; undefined where an answer says nothing of that kind. */
function essence(value: Record<string, unknown>): string | undefined {
  if (value.status === 'granted') return `granted ${String(value.token)}`
  if (value.status === 'queued') return `queued ${String(value.ticket)}`
  if (typeof value.version === 'number') return `version ${value.version}`
  if (Array.isArray(value.files)) return `files ${JSON.stringify(value.files)}`
  if (SAID.some((name) => name in value)) {
    return SAID.map((name) => `${name} ${JSON.stringify(value[name])}`).join(', ')
  }
  return undefined
}

/** What the other commands say of what they did. */
const SAID = ['released', 'left', 'answered', 'ask', 'to', 'was', 'ended'] as const

/** Its caller looks at no answer any more, and what the request came to is given back (locks §10). */
function isGivenUp(signal: CancelSignal | undefined): boolean {
  return signal?.aborted === true && signal.reason !== CONNECTION_LOST
}

/** A ticket becomes a grant in time, or is gone; a grant ends. Nothing else may change. */
function isSame(before: string, now: string): boolean {
  if (before === now) return true
  const hasMovedOn = before.startsWith('queued') && !now.startsWith('queued')
  const hasEnded = before.startsWith('granted') && ENDED.has(now)
  // A ticket was asked for again while it waited; the answers overtook each other.
  const overtaken = before.startsWith('granted') && now.startsWith('queued')
  return hasMovedOn || hasEnded || overtaken
}

const ENDED: ReadonlySet<string> = new Set(['refused lock_lost', 'refused ticket_gone'])

/** Every refusal that a client sees is one of the catalog and says what to do. */
export function checkProblem({ code, detail }: { code: string; detail: string }): void {
  if (!Object.hasOwn(ERRORS, code)) broken('catalog', `${code} is not a code of the catalog`)
  if (detail.trim() === '') broken('catalog', `${code} came without a detail`)
  if (code === 'internal') broken('catalog', `the server failed: ${detail}`)
}
