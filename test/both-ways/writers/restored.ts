import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from '../content.ts'
import type { Stage } from './writer.ts'

/** An old content that somebody brought back to a path. */
export interface Restored {
  path: string
  sha256: string
}

/** All files below a folder outside of the tree, as they will stand below a path. */
export function contentsBelow(folder: string, path: string): Restored[] {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
  return found.flatMap((entry) => {
    if (!entry.isFile()) return []
    const full = join(entry.parentPath, entry.name)
    return { path: `${path}${full.slice(folder.length)}`, sha256: sha256Of(readFileSync(full)) }
  })
}

/** Logs those that really stand there: an agent may have been faster with some. */
export function logStanding(
  { root, log }: Pick<Stage, 'root' | 'log'>,
  of: { by: string; way: string; from: number },
  restored: readonly Restored[],
): void {
  for (const { path, sha256 } of restored) {
    const to = Date.now()
    try {
      if (sha256Of(readFileSync(join(root, path))) !== sha256) continue
    } catch {
      continue
    }
    log.add({ kind: 'saved', ...of, path, sha256, to })
  }
}
