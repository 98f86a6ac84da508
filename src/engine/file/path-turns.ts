import { TransientMap } from '../../contract/transient.ts'

/**
 * Appends and edits of one path take turns, so that the version they were worked out on is passed by
 * nothing but somebody's whole write; then they are worked out again.
 */
export class PathTurns {
  private readonly busy = new TransientMap<string, Promise<unknown>>()

  isBusy(path: string): boolean {
    return this.busy.has(path)
  }

  async take<T>(paths: readonly string[], task: () => Promise<T>): Promise<T> {
    const before = paths.map((path) => this.busy.get(path))
    const turn = Promise.allSettled(before).then(task)
    for (const path of paths) this.busy.set(path, turn)
    try {
      return await turn
    } finally {
      for (const path of paths) if (this.busy.get(path) === turn) this.busy.delete(path)
    }
  }
}
