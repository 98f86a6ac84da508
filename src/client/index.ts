import { systemRuntime } from './runtime.ts'
import { type ConnectOptions, connectOn, type Sluice } from './sluice.ts'

export type { Notice } from '../contract/door.ts'
export type { ErrorCode, Problem } from '../contract/errors.ts'
export { SluiceError } from '../contract/errors.ts'
export type { ShownEvent as WatchEvent } from '../contract/events.ts'
export type { Input, OperationName, Output } from '../contract/operations.ts'
export { type ChangeOptions, Lock, type LockOptions, type LockTarget } from './lock.ts'
export { type ConnectOptions, Sluice } from './sluice.ts'
export { type ReadResult, Workspace, type WriteResult } from './workspace.ts'

/** Connects and opens a session. Rejects with `SluiceError` when the server does not let us in. */
export function connect(options: ConnectOptions): Promise<Sluice> {
  return connectOn(systemRuntime, options)
}
