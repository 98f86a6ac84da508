import type { FileSystem, RareCalls } from '../../src/store/file-system.ts'
import type { Ledger } from '../../src/store/ledger.ts'
import type { Tables } from '../../src/store/tables.ts'

/** Thrown into whatever a killed process was doing. */
export class Killed extends Error {
  override name = 'Killed'
}

/**
 * The life of one process: what it does to the disk can be counted, and ends at any one of its calls,
 * as `kill -9` ends it. What the process still wants to do after that does not happen.
 */
export class Life {
  /** Calls that changed or asked something of the file system so far. */
  calls = 0
  /** It is killed right before this call. */
  killAt = Number.POSITIVE_INFINITY
  isOver = false
  /** What is decided waits for this before it is stored. */
  stores: Promise<void> = Promise.resolve()
  /** Called before each call to the file system, with the method and the path. */
  before: (method: string, path: string) => void = () => {}
  private readonly watches = new Set<() => void>()
  private readonly underWay = new Set<Promise<unknown>>()

  end(): void {
    this.isOver = true
    for (const stop of this.watches) stop()
  }

  /** What the system was asked for before is over: a process that is killed does no more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay)
  }

  step(method: string, path: string): void {
    if (!this.isOver) {
      this.calls += 1
      if (this.calls >= this.killAt) this.end()
    }
    if (this.isOver) throw new Killed(`killed before ${method} ${path}`)
    this.before(method, path)
  }

  fileSystem(fs: FileSystem): FileSystem {
    return new Proxy(fs, {
      get: (target, name) => {
        const method = target[name as keyof FileSystem] as (...args: unknown[]) => unknown
        if (name === 'rare' && target.rare !== undefined) return this.rareCalls(target.rare)
        if (typeof method !== 'function') return method
        return (...args: unknown[]) => {
          this.step(String(name), String(args[0]))
          const result = method.apply(target, args)
          if (result instanceof Promise) this.underWay.add(result)
          if (name === 'watch') this.watches.add(result as () => void)
          return result
        }
      },
    })
  }

  private rareCalls(rare: RareCalls): RareCalls {
    return new Proxy(rare, {
      get: (target, name) => {
        const method = target[name as keyof RareCalls] as (...args: unknown[]) => unknown
        return (...args: unknown[]) => {
          // An exchange is one of the place, which is named second.
          this.step(String(name), String(name === 'exchange' ? args[1] : args[0]))
          return method(...args)
        }
      },
    })
  }

  /** What it would still write back does not come about. */
  tables(tables: Tables): Tables {
    return new Proxy(tables, {
      get: (target, name) => {
        const value = target[name as keyof Tables] as unknown
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (this.isOver) throw new Killed(`killed before ${String(name)} of the tables`)
          return value.apply(target, args)
        }
      },
    })
  }

  ledger(ledger: Ledger): Ledger {
    const never = new Promise<never>(() => {})
    return new Proxy(ledger, {
      get: (target, name) => {
        const value = target[name as keyof Ledger] as unknown
        if (typeof value !== 'function') return value
        if (name !== 'append') return value.bind(target)
        return (...args: unknown[]) =>
          this.stores.then(() => (this.isOver ? never : value.apply(target, args)))
      },
    })
  }
}
