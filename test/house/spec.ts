import { filesIn, headingsIn, type SourceFile } from './source.ts'

/** A rule of `docs/spec`, as its heading and its text have it. */
export interface Rule {
  /** `locks §14`, `I7`. */
  id: string
  part: string
  /** The heading without its number. */
  says: string
  isBuilt: boolean
  /** Something of it is missing. */
  isPartial: boolean
  page: string
  anchor: string
}

export interface Page extends SourceFile {
  /** What its rules are cited by. */
  part: string
}

/** The pages with rules: each says how it is cited. */
export function pages(): Page[] {
  return filesIn('docs/spec', '.md').flatMap((file) => {
    const part = /^.*\b[Cc]ited as `(\w+) §\w+`/m.exec(file.text)?.[1]
    return part === undefined || file.path.endsWith('/README.md') ? [] : [{ ...file, part }]
  })
}

/** Pages in the order in which the README of the rules names them. */
export function rules(): Rule[] {
  const order = ['locks', 'files', 'folder', 'contract', 'guard']
  const rank = (part: string): number =>
    (order.indexOf(part) + order.length + 1) % (order.length + 1)
  return pages()
    .sort((a, b) => rank(a.part) - rank(b.part))
    .flatMap(rulesOf)
}

export function rulesOf({ path, text, part }: Page): Rule[] {
  return headingsIn(text).flatMap(({ title, anchor, body }) => {
    const [, number, says] = /^(§[A-Z]?\d+|I\d+) (.+)$/.exec(title) ?? []
    if (number === undefined || says === undefined) return []
    const id = number.startsWith('§') ? `${part} ${number}` : number
    const isBuilt = !body.startsWith('**Not built.**')
    return [
      { id, part, says, isBuilt, isPartial: /^\*\*Not built:\*\*/m.test(body), page: path, anchor },
    ]
  })
}

/** The rows of the tables in a page whose first cell is code: `name` and the cells after it. */
export function rowsOf(text: string): Map<string, string[]> {
  return new Map(
    [...text.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, name = '', rest = '']) => [
      name,
      rest.split('|').map((cell) => cell.trim()),
    ]),
  )
}
