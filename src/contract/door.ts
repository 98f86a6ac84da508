import type { Input, OperationName, Output } from './operations.ts'

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
}

export interface DoorAnswer<N extends OperationName> {
  value: Output<N>
  /** The last durable revision of the workspace when the answer was given. */
  revision: number
  /** For operations with `content: 'out'`: the whole content. */
  content?: Uint8Array
}
