import { connect, type Sluice } from '../client/index.ts'
import type { Door, DoorAnswer, Notice } from '../contract/door.ts'
import { type Input, type OperationName, operationOf } from '../contract/operations.ts'
import type { Target } from './target.ts'

export interface McpDoorOptions {
  /** Where the server is now; asked again when the one before is gone. */
  target: () => Promise<Target>
  agent: string | undefined
  session: string | undefined
  about: () => Record<string, string>
}

/**
 * One session for the life of this process, whatever becomes of the server meanwhile: when it is gone
 * for good, the next call finds or starts another one and resumes the session there.
 */
export class McpDoor implements Door {
  private readonly options: McpDoorOptions
  private sluice: Sluice | undefined
  private opening: Promise<Sluice> | undefined
  private resume: { session: string; secret: string } | undefined

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

  private async callBy<N extends OperationName>(
    caller: string | undefined,
    name: N,
    input: Input<N>,
    content: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DoorAnswer<N>> {
    const seat = async (): Promise<Sluice> => {
      const sluice = await this.open()
      return caller === undefined ? sluice : sluice.as(caller)
    }
    const sluice = await seat()
    try {
      return await sluice.call(name, input, content, signal)
    } catch (error) {
      // Whether a command was done is not known then, so it is the caller who tries again.
      if (!sluice.isClosed || operationOf(name).kind === 'command') throw error
      return (await seat()).call(name, input, content, signal)
    }
  }

  as(caller: string): Door {
    return {
      as: (name) => this.as(name),
      call: (name, input, content, signal) => this.callBy(caller, name, input, content, signal),
      takeNotices: (workspace) => this.sluice?.as(caller).takeNotices(workspace) ?? [],
    }
  }

  takeNotices(workspace: string): Notice[] {
    return this.sluice?.takeNotices(workspace) ?? []
  }

  async close(): Promise<void> {
    await this.opening?.catch(() => undefined)
    await this.sluice?.close()
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
    const { agent, session, about } = this.options
    const { url, token } = await this.options.target()
    const given = {
      url,
      token,
      retryMs: RETRY_MS,
      about: about(),
      ...(agent === undefined ? {} : { agent }),
    }
    const sluice = await connect({
      ...given,
      ...(this.resume ?? (session === undefined ? {} : { session })),
    })
    const name = sluice.session.split(':')[1] as string
    this.resume = { session: name, secret: sluice.secret }
    this.sluice = sluice
    return sluice
  }
}

/** A server that does not answer for so long is looked for anew. */
const RETRY_MS = 5000
