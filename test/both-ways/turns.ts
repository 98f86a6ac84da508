/**
 * One outsider at a path at a time. Two editors that write into one file at once spoil it by themselves,
 * which would say nothing about the server between them; agents wait for nobody.
 */
export class Turns {
  private readonly running = new Set<readonly string[]>()
  private readonly waiting: { paths: readonly string[]; start: () => void }[] = []

  /** @param paths with all below them; `/` is everything */
  async take<T>(paths: readonly string[], task: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.waiting.push({ paths, start: resolve })
      this.startSome()
    })
    try {
      return await task()
    } finally {
      this.running.delete(paths)
      this.startSome()
    }
  }

  /** In the order they came, so that whoever wants everything gets it in the end. */
  private startSome(): void {
    const before: (readonly string[])[] = []
    for (const one of [...this.waiting]) {
      const isFree = ![...this.running, ...before].some((other) => isCrossing(one.paths, other))
      if (!isFree) {
        before.push(one.paths)
        continue
      }
      this.waiting.splice(this.waiting.indexOf(one), 1)
      this.running.add(one.paths)
      one.start()
    }
  }
}

function isCrossing(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.some((other) => isBelow(one, other) || isBelow(other, one)))
}

/** Whether a path is another one or lies below it. */
export function isBelow(above: string, path: string): boolean {
  return above === '/' || path === above || path.startsWith(`${above}/`)
}
