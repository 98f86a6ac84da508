import type { Version } from './evidence.ts'
import { isBelow } from './turns.ts'

/** An event as `GET /v1/workspaces/{workspace}/events` tells it, as far as it is about files. */
export interface ToldEvent {
  revision: number
  at: string
  kind: string
  agent: string
  message?: string
  changes?: readonly ToldChange[]
  files?: readonly { path: string; version: number; sha256: string }[]
}

/** A content, and a path and revision at which it can be read. */
interface Content {
  path: string
  revision: number
  sha256: string
}

interface ToldChange {
  op: string
  path: string
  to?: string
  size?: number
  sha256?: string
}

/** The history of a workspace once more, from its events: the server's own reckoning is not asked. */
export class Replay {
  readonly versions: Version[] = []
  /** The newest version of each file, by path. */
  readonly heads = new Map<string, Version>()

  /** How often another file came to have a name, or none. */
  private readonly changed = new Map<string, number>()

  /** @returns contents that it brings into the history, and where they can be read */
  add({ revision, at, kind, agent, message, changes = [], files = [] }: ToldEvent): Content[] {
    const contents: Content[] = []
    if (kind === 'contents-kept') {
      for (const { path, version, sha256 } of files) {
        this.keep({ path, version, sha256 })
        contents.push({ path, revision: version, sha256 })
      }
      return contents
    }
    if (kind !== 'files-committed') return contents
    for (const { op, path, to = '', sha256 = '', size = 0 } of changes) {
      if (op === 'delete') this.removeBelow(path)
      else if (op === 'move') this.move(path, to)
      else if (op !== 'make_folder' && op !== 'set_attributes') {
        const version = {
          revision,
          path,
          how: op,
          agent,
          sha256,
          size,
          at: Date.parse(at),
          message,
        }
        this.versions.push(version)
        this.heads.set(path, version)
        contents.push({ path, revision, sha256 })
      }
    }
    return contents
  }

  /** How many files and folders this name, or one above it, has had before: the most of all of them. */
  formerOf(path: string): number {
    let most = 0
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      most = Math.max(most, this.changed.get(path.slice(0, end)) ?? 0)
    }
    return most
  }

  private keep({ path, version, sha256 }: { path: string; version: number; sha256: string }): void {
    // It may have moved since; its number says which one is meant.
    const found = this.versions.findLast((one) => one.revision === version && one.path === path)
    const head = found ?? this.heads.get(path)
    if (head?.revision === version) head.sha256 = sha256
  }

  private removeBelow(path: string): void {
    this.changed.set(path, (this.changed.get(path) ?? 0) + 1)
    for (const name of [...this.heads.keys()]) if (isBelow(path, name)) this.heads.delete(name)
  }

  private move(from: string, to: string): void {
    const moved = [...this.heads].filter(([name]) => isBelow(from, name))
    this.removeBelow(to)
    this.removeBelow(from)
    for (const [name, version] of moved) {
      this.heads.set(`${to}${name.slice(from.length)}`, version)
    }
  }
}
