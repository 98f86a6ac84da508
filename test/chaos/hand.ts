import type { Input } from '../../src/contract/operations.ts'

export type Changes = Input<'commit'>['changes']

/** What a worker can do, whatever door it stands at. Every call is tried again until it is answered. */
export interface Hand {
  readonly agent: string
  /** Full session id. */
  readonly session: string
  /** `ifVersion`: what is replaced; 0 for nothing. */
  write(
    path: string,
    content: string | Uint8Array<ArrayBuffer>,
    ifVersion?: number,
  ): Promise<{ version: number }>
  /** 0 where there is no file. */
  versionOf(path: string): Promise<number>
  append(path: string, text: string): Promise<{ version: number }>
  edit(path: string, oldText: string, newText: string): Promise<{ version: number }>
  remove(path: string): Promise<{ version: number }>
  /** Writes all paths with one content. */
  commit(paths: readonly string[], content: string): Promise<{ revision: number }>
  /** Any changes as one. */
  change(changes: Changes): Promise<{ revision: number }>
  /** Undefined when it was not granted in time. */
  acquire(path: string, level: Level): Promise<{ id: string } | undefined>
  release(id: string): Promise<void>
  close(): Promise<void>
}

export type Level = 'read' | 'write' | 'exclusive'

/** Seconds: longer than any outage of a run, so that no lock is lost to time. */
export const LOCK_TTL_S = 3600
export const LOCK_WAIT_S = 5
