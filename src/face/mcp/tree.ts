import { setImmediate as turn } from 'node:timers/promises'
import { parentPath } from '../../contract/path.ts'
import {
  compareNames,
  type ListedEntry,
  nameOf,
  type Page,
  pageOf,
  relativePath,
} from './entries.ts'
import type { ToolContext } from './tool.ts'

/** A folder with what lies in it, by name. */
export interface TreeNode {
  name: string
  path: string
  entry: ListedEntry
  children: TreeNode[]
  /** Of a folder: all that is in it and wanted stands among its children. */
  isWhole: boolean
}

/** What of a tree is wanted, by paths as seen from its root. */
export interface Wanted {
  /** Neither taken nor entered. */
  isExcluded(relative: string): boolean
  /** Whether anything in this folder can be wanted. */
  isEntered(relative: string): boolean
  /** Whether it counts against `most`. Asked once of each that is not excluded. */
  counts(relative: string, entry: ListedEntry): boolean
  /** No more is read once so many were found that count. */
  most: number
}

export interface Tree {
  nodes: TreeNode[]
  /** Nothing was left out for want of room. */
  isWhole: boolean
}

const FOLDERS_AT_ONCE = 16
/** Entries looked at for one answer, wanted or not. */
const LOOKED_AT_MOST = 100_000
/** Others have a turn so often, whatever the patterns cost. */
const TURN_MS = 10
/** As deep as one page goes. */
const DEPTH_MOST = 64

/**
 * Reads what is below a folder, level by level, so that what is excluded is never walked and a bound
 * cuts off the depths, not the end of the alphabet. What fits into one page is read by one call.
 */
export function readTree(context: ToolContext, root: string, wanted: Wanted): Promise<Tree> {
  return new Walk(context, root, wanted).run()
}

class Walk {
  private readonly context: ToolContext
  private readonly root: string
  private readonly wanted: Wanted
  /** What lies in folders that one page showed whole. */
  private readonly known = new Map<string, ListedEntry[]>()
  private found = 0
  private lookedAt = 0
  private isCut = false
  private turnBegan = performance.now()

  constructor(context: ToolContext, root: string, wanted: Wanted) {
    this.context = context
    this.root = root
    this.wanted = wanted
  }

  async run(): Promise<Tree> {
    const top: TreeNode[] = []
    let level: { path: string; into: TreeNode[]; node?: TreeNode }[] = [
      { path: this.root, into: top },
    ]
    while (level.length > 0) {
      const next: typeof level = []
      for (let i = 0; i < level.length; i += FOLDERS_AT_ONCE) {
        const some = level.slice(i, i + FOLDERS_AT_ONCE)
        await Promise.all(
          some.map(async ({ path, into, node }) => {
            const isWhole = await this.read(path, into)
            if (node !== undefined) node.isWhole = isWhole
          }),
        )
        for (const { into } of some) {
          for (const node of into) {
            if (this.isOpened(node)) next.push({ path: node.path, into: node.children, node })
          }
        }
      }
      level = next
    }
    return { nodes: top, isWhole: !this.isCut }
  }

  /** Reads one folder; false when it was not read to its end. */
  private async read(folder: string, into: TreeNode[]): Promise<boolean> {
    let cursor: string | undefined
    do {
      if (this.isFull()) return this.cut(into)
      const page = await this.page(folder, cursor)
      for (const entry of page.entries) {
        if (this.isFull()) return this.cut(into)
        this.take(entry, into)
        if (performance.now() - this.turnBegan > TURN_MS) await this.giveWay()
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    into.sort((a, b) => compareNames(a.name, b.name))
    return true
  }

  private async page(folder: string, cursor: string | undefined): Promise<Page> {
    if (cursor === undefined) {
      const known = this.known.get(folder)
      if (known === undefined) await this.readAhead(folder)
      const entries = known ?? this.known.get(folder)
      this.known.delete(folder)
      if (entries !== undefined) return { entries }
    }
    return pageOf(this.context, folder, { cursor })
  }

  /** Keeps all that is below a folder if that is one page; else only the folder itself is read. */
  private async readAhead(folder: string): Promise<void> {
    const { entries, cursor } = await pageOf(this.context, folder, { depth: DEPTH_MOST })
    if (cursor !== undefined) return
    this.known.set(folder, [])
    for (const { kind, path } of entries) {
      const isDeepest = relativePath(folder, path).split('/').length === DEPTH_MOST
      if (kind === 'folder' && !isDeepest) this.known.set(path, [])
    }
    for (const entry of entries) this.known.get(parentPath(entry.path))?.push(entry)
  }

  private take(entry: ListedEntry, into: TreeNode[]): void {
    this.lookedAt += 1
    const { path } = entry
    const relative = relativePath(this.root, path)
    if (this.wanted.isExcluded(relative)) return
    if (this.wanted.counts(relative, entry)) this.found += 1
    into.push({ name: nameOf(path), path, entry, children: [], isWhole: true })
  }

  private async giveWay(): Promise<void> {
    await turn()
    this.turnBegan = performance.now()
  }

  private isOpened({ entry, path }: TreeNode): boolean {
    return entry.kind === 'folder' && this.wanted.isEntered(relativePath(this.root, path))
  }

  private isFull(): boolean {
    return this.found >= this.wanted.most || this.lookedAt >= LOOKED_AT_MOST
  }

  private cut(into: TreeNode[]): false {
    this.isCut = true
    into.sort((a, b) => compareNames(a.name, b.name))
    return false
  }
}
