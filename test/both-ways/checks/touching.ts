import type { Asked, Entry, Saved, Touched } from '../log.ts'
import { isBelow } from '../turns.ts'

/** Who changed which names when, asked by path and time. */
export class Touching {
  private readonly outside: (Saved | Touched)[]
  private readonly byPath = new Map<string, (Saved | Touched)[]>()
  private readonly commits: Asked[]
  private readonly commitsByPath = new Map<string, Asked[]>()

  constructor(log: readonly Entry[]) {
    this.outside = log.filter((one) => one.kind === 'saved' || one.kind === 'touched')
    this.outside.sort((a, b) => a.from - b.from)
    this.commits = log.filter((one) => one.kind === 'asked' && one.refused === undefined) as Asked[]
    this.commits.sort((a, b) => a.from - b.from)
  }

  /** Of all outsiders, in the order they began. */
  of(path: string): readonly (Saved | Touched)[] {
    let found = this.byPath.get(path)
    if (found === undefined) {
      found = this.outside.filter((one) => pathsOf(one).some((above) => isBelow(above, path)))
      this.byPath.set(path, found)
    }
    return found
  }

  /** When somebody outside next began to change it. */
  next(path: string, after: number): number | undefined {
    return firstFrom(this.of(path), after)?.from
  }

  /** Agents' changes of it that were done. */
  commitsOf(path: string): readonly Asked[] {
    let found = this.commitsByPath.get(path)
    if (found === undefined) {
      found = this.commits.filter((one) => isBelow(one.path, path) || one.to_path === path)
      this.commitsByPath.set(path, found)
    }
    return found
  }

  /** Whether an agent's change was asked for and done within that time. */
  isCommittedWithin(path: string, from: number, to: number): boolean {
    return this.commitsOf(path).some((one) => one.from > from && one.to < to)
  }

  /** An agent's change that was under way at that time. */
  commitAt(path: string, time: { from: number; to: number }): Asked | undefined {
    return this.commitsOf(path).find((one) => one.from <= time.to && one.to >= time.from)
  }

  /** Somebody had the file open with a part of its content for longer than anybody waits for quiet. */
  isStalled(path: string, time: { from: number; to: number }): boolean {
    return this.of(path).some((one) => {
      const open = one.kind === 'saved' ? one.open : one
      if (open === undefined || open.to - open.from < STALL_MS) return false
      return open.from <= time.to && open.to >= time.from
    })
  }
}

function firstFrom<T extends { from: number }>(list: readonly T[], least: number): T | undefined {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as T).from < least) low = middle + 1
    else high = middle
  }
  return list[low]
}

function pathsOf(one: Saved | Touched): readonly string[] {
  return one.kind === 'saved' ? [one.path] : one.paths
}

/** A file that was not changed for so long is taken to be whole (folder §4). */
const STALL_MS = 40
