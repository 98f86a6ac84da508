import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

export interface SourceFile {
  /** From the root, with `/`. */
  path: string
  text: string
}

/** All files with this ending below a folder. */
export function filesIn(folder: string, ending: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => {
      const full = join(entry.parentPath, entry.name)
      return {
        path: relative(ROOT, full).split(sep).join('/'),
        text: readFileSync(full, 'utf8'),
      }
    })
    .filter((file) => !file.path.includes('node_modules'))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What a file imports: paths from the root for our own, names for packages. */
export function importsOf(file: SourceFile): string[] {
  const pattern =
    /(?:^|\n)(?:import|export)\b[^;'"]*?\bfrom\s+'([^']+)'|\nimport\s+'([^']+)'|\bimport\('([^']+)'\)/g
  return [...file.text.matchAll(pattern)].map(([, from, bare, dynamic]) => {
    const to = (from ?? bare ?? dynamic) as string
    if (!to.startsWith('.')) return to
    return join(file.path, '..', to).split(sep).join('/')
  })
}
