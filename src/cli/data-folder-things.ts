import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Those names in a folder that no server of ours made, and no system by itself. A first start that was
 * cut off may have left any part of ours.
 */
export function foreignThings(folder: string, names: readonly string[]): string[] {
  return names.filter((name) => !isHarmless(name) && !isOurs(folder, name)).sort()
}

function isHarmless(name: string): boolean {
  return OF_SYSTEMS.has(name) || FILES.some((pattern) => pattern.test(name))
}

/** What systems, mounts and checkouts put into folders that people take for empty. */
const OF_SYSTEMS: ReadonlySet<string> = new Set([
  '.DS_Store',
  '.gitignore',
  '.gitkeep',
  '.keep',
  '.localized',
  '.directory',
  'desktop.ini',
  'lost+found',
  'System Volume Information',
  'Thumbs.db',
])

const FILES = [/^secret(\.\d+)?$/, /^admin\.token$/, /^server\.(json|log)$/, /^probe\.\d+$/]
const DATABASE = /^(ledger|tables)\.db/
const BLOBS = /^([0-9a-f]{2}|staging)$/

/** The names of our folders are such as others use too: what is in them tells. */
function isOurs(folder: string, name: string): boolean {
  const path = join(folder, name)
  if (name === 'server') return holdsOnly(path, (item) => DATABASE.test(item))
  if (name === 'blobs') return holdsOnly(path, (item) => BLOBS.test(item))
  if (name === 'new' || name === 'held') return true
  if (name !== 'workspaces') return false
  return holdsOnly(path, (item) =>
    holdsOnly(join(path, item), (each) => DATABASE.test(each) || each === 'folder.json'),
  )
}

function holdsOnly(path: string, isExpected: (name: string) => boolean): boolean {
  try {
    return readdirSync(path).every(isExpected)
  } catch {
    // A file or a link of that name is none of ours.
    return false
  }
}
