import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { OWN_FOLDER } from '../folder/own-name.ts'
import { UsageError } from './usage-error.ts'

/**
 * The real path of a folder that is to be served, so that all who name it, by whatever link, mean the
 * same server. Refuses what cannot be one.
 */
export function servedFolder(given: string): string {
  const path = resolve(given)
  let real: string
  try {
    real = realpathSync.native(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'There is no such folder' : `It cannot be opened (${code})`
    throw new UsageError(`${given}: ${why}. Name a folder that is there.`)
  }
  if (!statSync(real).isDirectory()) {
    throw new UsageError(`${given} is a file. Name the folder that it lies in.`)
  }
  if (dirname(real) === real) {
    throw new UsageError(`${given} is the whole disk. Name the folder that agents are to work in.`)
  }
  if (real.split(sep).includes(OWN_FOLDER)) {
    throw new UsageError(`${given} is where Sluice keeps its own data. Name the folder it lies in.`)
  }
  return real
}

/** Refuses folders that would be served twice: one within another, or within one that is served. */
export function refuseNested(roots: readonly string[]): void {
  for (const root of roots) {
    const within = roots.find((other) => other !== root && `${root}${sep}`.startsWith(other + sep))
    if (within !== undefined) {
      throw new UsageError(
        `${root} lies in ${within}, which is served too. Name only the outer one.`,
      )
    }
    const outer = servedAbove(root)
    if (outer !== undefined) {
      throw new UsageError(
        `${root} lies in ${outer}, which Sluice serves already: two servers over the same files would not ` +
          `know of each other's locks. Use "sluice mcp ${outer}".`,
      )
    }
  }
}

function servedAbove(root: string): string | undefined {
  for (let at = dirname(root); ; at = dirname(at)) {
    if (isServed(at)) return at
    if (dirname(at) === at) return undefined
  }
}

/** Whether a folder has the data of a server that serves it. */
export function isServed(folder: string): boolean {
  return existsSync(join(folder, OWN_FOLDER, 'server', 'ledger.db'))
}

/** The data folder of a folder that is served: of this one, or one above it. */
export function dataFolderAround(path: string): string | undefined {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (isServed(at)) return join(at, OWN_FOLDER)
    if (dirname(at) === at) return undefined
  }
}
