import type { OperationName } from '../contract/operations.ts'
import type { Call } from './call.ts'

/** What is known of a call before its body is read and before anything is decided. */
export interface Asking {
  operation: OperationName
  /** Where it is asked for; undefined: of the server itself. */
  workspace: string | undefined
  agent: string
  session: string
  /** Of the body, as far as it is known: a stream says it beforehand, or not. */
  bytes: number | undefined
}

/**
 * Says who may come in now, by who asks, what for and how large it is: nothing (come in), a promise
 * (come in when it resolves), or throws the refusal, with when to come again.
 */
export type Admission = (asking: Asking) => Promise<void> | undefined

export function askingOf(call: Call, workspace: string | undefined): Asking {
  const { operation, actor, content, contentBytes } = call
  const { agent, session } = actor
  const bytes = content instanceof Uint8Array ? content.length : contentBytes
  return { operation, workspace, agent, session, bytes }
}
