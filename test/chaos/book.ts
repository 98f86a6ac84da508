import { createHash } from 'node:crypto'

/** What clients were promised. Only acknowledged things are in it; `verify.ts` looks for them. */
export interface Written {
  path: string
  version: number
  /** Undefined: the version is the file's end, a delete. */
  sha256: string | undefined
}

export interface Held {
  id: string
  path: string
  level: string
  agent: string
  session: string
  /** `releasing`: the release is on its way, so both answers are right. */
  state: 'held' | 'releasing' | 'released'
}

export class Book {
  readonly written: Written[] = []
  /** Sets of files that one commit wrote with one stamp. */
  readonly commits: { revision: number; paths: string[]; sha256: string }[] = []
  readonly locks = new Map<string, Held>()
  /** Lines by file: true when the append was acknowledged. */
  readonly lines = new Map<string, Map<string, boolean>>()
  readonly violations: string[] = []
  acknowledged = 0
  retried = 0
  private readonly inside = new Map<string, Held[]>()

  wrote(path: string, version: number, content: Uint8Array | string | undefined): void {
    this.acknowledged += 1
    this.written.push({
      path,
      version,
      sha256: content === undefined ? undefined : sha256Of(content),
    })
  }

  committed(revision: number, paths: string[], content: string): void {
    this.acknowledged += 1
    this.commits.push({ revision, paths, sha256: sha256Of(content) })
  }

  appending(path: string, line: string): void {
    const lines = this.lines.get(path) ?? new Map<string, boolean>()
    this.lines.set(path, lines)
    lines.set(line, false)
  }

  appended(path: string, line: string): void {
    this.acknowledged += 1
    this.lines.get(path)?.set(line, true)
  }

  /** locks §1: nobody else may be inside while this level is. */
  acquired(lock: Omit<Held, 'state'>): Held {
    this.acknowledged += 1
    const held: Held = { ...lock, state: 'held' }
    const others = (this.inside.get(lock.path) ?? []).filter((one) => one.state === 'held')
    for (const other of others) {
      if (other.id !== held.id && excludes(other.level, held.level)) {
        this.violate(
          `I1: ${held.agent} was granted ${held.id} while ${other.agent} holds ${other.id} on ${held.path}`,
        )
      }
    }
    this.inside.set(lock.path, [...others, held])
    this.locks.set(held.id, held)
    return held
  }

  violate(what: string): void {
    if (this.violations.length < 50) this.violations.push(what)
  }
}

export function excludes(a: string, b: string): boolean {
  return a === 'exclusive' || b === 'exclusive' || (a === 'write' && b === 'write')
}

export function sha256Of(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}
