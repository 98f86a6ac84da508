/**
 * What every writer did, in its own words; the checker knows nothing else of them. Times are ms since
 * 1970 of this machine's clock, which all of its processes share.
 */
interface Done {
  /** Who: `agent-3`, `shell-1`, `vim`. */
  by: string
  from: number
  to: number
}

/** An agent's read. */
export interface Read extends Done {
  kind: 'read'
  path: string
  /** Of an answer that has the whole file. */
  seen?: { version: number; sha256: string }
  /** What was read is not whole. */
  half?: string
  /** The code of a refusal. */
  refused?: string
}

/** A change that an agent asked for. */
export interface Asked extends Done {
  kind: 'asked'
  how: 'write' | 'append' | 'edit' | 'delete' | 'move' | 'copy'
  path: string
  to_path?: string
  /** What of it is found again in the file. */
  unit?: string
  /** Of the whole content, where the agent gave all of it. */
  sha256?: string
  /** Of an answer that says it is done. */
  version?: number
  refused?: string
}

/** Something that somebody outside put at a path, and that was there when they had done it. */
export interface Saved extends Done {
  kind: 'saved'
  way: string
  path: string
  unit?: string
  /** Of the whole content, where it is known. */
  sha256?: string
  /** When the file was open with a part of its content only. */
  open?: { from: number; to: number }
}

/** Names that somebody outside changed: what stood below them may be gone, or another one. */
export interface Touched extends Done {
  kind: 'touched'
  way: string
  paths: readonly string[]
  /** Old contents that came back by it, known by the one who brought them. */
  restored?: readonly { path: string; sha256: string }[]
}

export type Entry = Read | Asked | Saved | Touched

export class Log {
  readonly entries: Entry[] = []
  /** Faults of a writer itself, and answers that no writer expects. */
  readonly troubles: string[] = []

  add(entry: Entry): void {
    this.entries.push(entry)
  }

  trouble(what: string): void {
    if (this.troubles.length < TROUBLES_KEPT) this.troubles.push(what)
  }
}

const TROUBLES_KEPT = 50
