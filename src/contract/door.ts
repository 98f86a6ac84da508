import type { z } from 'zod'
import type { notice } from './operation/fields.ts'
import type { Input, OperationName, Output } from './operations.ts'

/** Something a session should know without having asked. */
export type Notice = z.infer<typeof notice>

/**
 * One authenticated session's way in, whatever carries it: the engine in this process, or the socket
 * of the SDK. Faces that only translate (MCP) are written against this.
 */
export interface Door {
  /**
   * Rejects with `SluiceError` on a refusal. `content` is for operations with `content: 'in'`.
   * `signal` ends a wait early; what was decided stays decided.
   */
  call<N extends OperationName>(
    name: N,
    input: Input<N>,
    content?: Uint8Array,
    signal?: AbortSignal,
  ): Promise<DoorAnswer<N>>
  /**
   * Gives back a lock that was granted by an answer its caller did not look at any more (locks §10):
   * before whatever is asked since, and again where the disk does not take it at once. Never rejects:
   * where it cannot be said any more, the end of the session says it.
   */
  giveBack(workspace: string, lock: string): Promise<void>
  /** The same way in for one of those who share the session (guard §1): nothing else is shared. */
  as(caller: string): Door
  /** What the session should know and was not told yet (somebody waits, a recall, a question). */
  takeNotices(workspace: string): Notice[]
}

export interface DoorAnswer<N extends OperationName> {
  value: Output<N>
  /** The last durable revision of the workspace when the answer was given. */
  revision: number
  /** For operations with `content: 'out'`: the whole content. */
  content?: Uint8Array
}
