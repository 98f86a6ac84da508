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

export interface Heading {
  title: string
  /** What a link to it ends with, behind `#`. */
  anchor: string
  /** What stands below it, up to the next heading. */
  body: string
}

/** The headings of a Markdown text, with the anchors that GitHub gives them. */
export function headingsIn(markdown: string): Heading[] {
  const found: Heading[] = []
  const known = new Map<string, number>()
  let isCode = false
  let body: string[] = []
  const end = (): void => {
    const last = found.at(-1)
    if (last !== undefined) last.body = body.join('\n').trim()
    body = []
  }
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode
    const title = isCode ? undefined : /^#{1,6} +(.+?) *$/.exec(line)?.[1]
    if (title === undefined) {
      body.push(line)
      continue
    }
    end()
    const plain = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '').replaceAll(' ', '-')
    const before = known.get(slug) ?? 0
    known.set(slug, before + 1)
    found.push({ title, anchor: before === 0 ? slug : `${slug}-${before}`, body: '' })
  }
  end()
  return found
}
