import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type Sluice } from '../client/index.ts'
import { nameWithin } from '../contract/caller.ts'
import type { Door, DoorAnswer, Notice } from '../contract/door.ts'
import { problemOf, refuse, SluiceError } from '../contract/errors.ts'
import { type Input, type OperationName, operationOf } from '../contract/operations.ts'
import type { Target } from './target.ts'

export interface McpDoorOptions {
  /** Where the server is now; asked again when the one before is gone. */
  target: () => Promise<Target>
  agent: string | undefined
  session: string | undefined
  about: () => Record<string, string>
  /** A server that does not answer for so long is looked for anew, in ms. */
  retryMs?: number
  /** How long a call goes on after its server is gone, in ms. */
  goOnMs?: number
}

/**
 * One session for the life of this process, whatever becomes of the server meanwhile: when it is gone,
 * the call that finds it so finds or starts another one, resumes the session there and is done there.
 * A command goes with a request id, so one whose answer was lost is not done twice (locks §11).
 */
export class McpDoor implements Door {
  private readonly options: McpDoorOptions
  private sluice: Sluice | undefined
  private opening: Promise<Sluice> | undefined
  private resume: { session: string; secret: string } | undefined
  /** Request ids of calls that ended in doubt, by what was asked: the same again is done once. */
  private readonly doubtful = new Map<string, string>()

  constructor(options: McpDoorOptions) {
    this.options = options
  }

  call<N extends OperationName>(
    name: N,
    input: Input<N>,
    content?: Uint8Array,
    signal?: AbortSignal,
  ): Promise<DoorAnswer<N>> {
    return this.callBy(undefined, name, input, content, signal)
  }

  as(caller: string): Door {
    return {
      as: (name) => this.as(name),
      call: (name, input, content, signal) => this.callBy(caller, name, input, content, signal),
      giveBack: (workspace, lock) => this.giveBackBy(caller, workspace, lock),
      takeNotices: (workspace) => this.sluice?.as(caller).takeNotices(workspace) ?? [],
    }
  }

  giveBack(workspace: string, lock: string): Promise<void> {
    return this.giveBackBy(undefined, workspace, lock)
  }

  takeNotices(workspace: string): Notice[] {
    return this.sluice?.takeNotices(workspace) ?? []
  }

  async close(): Promise<void> {
    await this.opening?.catch(() => undefined)
    await this.sluice?.close()
  }

  /** As long as the session that has it lives, on whatever connection. */
  private async giveBackBy(
    caller: string | undefined,
    workspace: string,
    lock: string,
  ): Promise<void> {
    const session = this.sluice?.session
    for (;;) {
      const sluice = await this.open().catch(() => undefined)
      if (sluice !== undefined) {
        if (sluice.session !== session) return
        const seat = caller === undefined ? sluice : sluice.as(caller)
        await seat.giveBack(workspace, lock)
        if (!sluice.isClosed) return
      }
      await pause(AGAIN_MS, undefined, { ref: false })
    }
  }

  private async callBy<N extends OperationName>(
    caller: string | undefined,
    name: N,
    input: Input<N>,
    content: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DoorAnswer<N>> {
    const { kind, input: schema } = operationOf(name)
    const isOnce = 'request_id' in schema.shape
    // Of nearly no call, and a content is long to look through.
    const key = () => keyOf(caller, name, input, content)
    const known = isOnce && this.doubtful.size > 0 ? this.doubtful.get(key()) : undefined
    const id = known ?? randomUUID()
    const sent = isOnce ? { request_id: id, ...input } : input
    let session: string | undefined
    const { goOnMs = GO_ON_MS } = this.options
    for (const deadline = performance.now() + goOnMs; ; await pause(AGAIN_MS)) {
      const isLate = performance.now() > deadline || signal?.aborted === true
      let sluice: Sluice
      try {
        sluice = await this.open()
      } catch (error) {
        if (session !== undefined && isOnce) this.doubt(key(), id)
        if (isLate || !isGone(error)) throw session === undefined ? error : inDoubt(error)
        continue
      }
      // Asked of a session that is over, nobody knows any more what became of it.
      const isElsewhere = session !== undefined && session !== sluice.session
      if (isElsewhere && kind === 'command') throw inDoubt(undefined)
      session = sluice.session
      try {
        const seat = caller === undefined ? sluice : sluice.as(caller)
        const answer = await seat.call(name, sent, content, signal)
        if (isOnce && this.doubtful.size > 0) this.doubtful.delete(key())
        return answer
      } catch (error) {
        if (!sluice.isClosed) throw error
        if (kind === 'command' && !isOnce) throw inDoubt(error)
        if (isLate) {
          if (isOnce) this.doubt(key(), id)
          throw inDoubt(error)
        }
      }
    }
  }

  private doubt(key: string, id: string): void {
    this.doubtful.set(key, id)
    const [oldest] = this.doubtful.keys()
    if (this.doubtful.size > DOUBTS_KEPT && oldest !== undefined) this.doubtful.delete(oldest)
  }

  private open(): Promise<Sluice> {
    const { sluice } = this
    if (sluice !== undefined && !sluice.isClosed) return Promise.resolve(sluice)
    // Calls that come meanwhile wait for the same one.
    this.opening ??= this.connect().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  private async connect(): Promise<Sluice> {
    const { agent, session, about, retryMs = RETRY_MS } = this.options
    const { url, token } = await this.options.target()
    const given = {
      url,
      token,
      retryMs,
      about: about(),
      ...(agent === undefined ? {} : { agent }),
    }
    const sluice = await connect({
      ...given,
      ...(this.resume ?? (session === undefined ? {} : { session })),
    }).catch((error: unknown) => {
      // The session did not outlive the server's absence: the next one is new.
      if (error instanceof SluiceError && error.code === 'unauthenticated') this.resume = undefined
      throw error
    })
    const name = nameWithin(sluice.session)
    this.resume = { session: name, secret: sluice.secret }
    this.sluice = sluice
    return sluice
  }
}

/** The same call of the same caller, whatever its request id. */
function keyOf(
  caller: string | undefined,
  name: string,
  input: object,
  content: Uint8Array | undefined,
): string {
  const hash = createHash('sha256').update(JSON.stringify([caller ?? '', name, input]))
  return hash.update(content ?? '').digest('base64url')
}

/** Nobody there (yet), or not the session that was there: trying again may help. */
function isGone(error: unknown): boolean {
  return (
    error instanceof SluiceError &&
    (error.code === 'overloaded' || error.code === 'unauthenticated')
  )
}

function inDoubt(error: unknown): SluiceError {
  const why = error instanceof SluiceError ? ` (${error.message})` : ''
  return new SluiceError(
    problemOf(
      refuse(
        'overloaded',
        `The server went away during this call${why}, so it may have been done or not. Call exactly ` +
          'the same again: then it is done once. Or look first: read the file, or list_locks.',
      ),
    ),
  )
}

const RETRY_MS = 1500
const GO_ON_MS = 15_000
const AGAIN_MS = 200
const DOUBTS_KEPT = 100
