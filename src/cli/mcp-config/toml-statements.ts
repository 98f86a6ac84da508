/** One header or one setting of a TOML text; what a setting says is not looked into. */
export interface Statement {
  kind: 'table' | 'list of tables' | 'setting'
  /** The names of its own line. */
  names: readonly string[]
  /** What stands behind the sign, without comments; of a header nothing. */
  value: string
  start: number
  /** The place after its line. */
  end: number
}

export class NotToml extends Error {
  override name = 'NotToml'
}

/** Just as much of TOML as tells where a table begins and ends. */
export function statementsOf(toml: string): Statement[] {
  const reader = new Reader(toml)
  const statements: Statement[] = []
  for (;;) {
    const statement = reader.next()
    if (statement === undefined) return statements
    statements.push(statement)
  }
}

class Reader {
  private readonly toml: string
  private at = 0

  constructor(toml: string) {
    this.toml = toml
  }

  next(): Statement | undefined {
    this.take(BETWEEN)
    const start = this.at
    if (start === this.toml.length) return undefined
    const opening = this.take(/\[\[?/y)
    const names = this.names()
    if (opening === undefined) {
      this.need(/=/y)
      return { kind: 'setting', names, value: this.value(), start, end: this.at }
    }
    this.need(opening.length === 1 ? /\]/y : /\]\]/y)
    this.need(LINE_END)
    const kind = opening.length === 1 ? 'table' : 'list of tables'
    return { kind, names, value: '', start, end: this.at }
  }

  private names(): string[] {
    const names: string[] = []
    do {
      const name = this.need(NAME).trim()
      names.push(unquoted(name))
    } while (this.take(/\./y) !== undefined)
    return names
  }

  /** Up to the end of its line, or of the line where its last bracket is closed. */
  private value(): string {
    let value = ''
    let depth = 0
    while (this.at < this.toml.length) {
      const part = this.need(PART)
      if (part === '[' || part === '{') depth += 1
      if (part === ']' || part === '}') depth -= 1
      if (/^\r?\n$/.test(part) && depth === 0) return value.trim()
      if (!part.startsWith('#')) value += part
    }
    if (depth > 0) this.fail()
    return value.trim()
  }

  private need(pattern: RegExp): string {
    return this.take(pattern) ?? this.fail()
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.toml)?.[0]
    this.at += found?.length ?? 0
    return found
  }

  private fail(): never {
    throw new NotToml(`line ${this.toml.slice(0, this.at).split('\n').length}`)
  }
}

const BETWEEN = /(?:[\s\uFEFF]|#[^\n]*)+/y
const NAME = /[ \t]*(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*/y
const LINE_END = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y
/** A string whole, a bracket, a comment, the end of a line, or anything else. */
const PART =
  /"""(?:[^\\]|\\[\s\S])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')[^'\n]*'|[[\]{}]|#[^\n]*?(?=\r?\n|$)|\r?\n|[^"'[\]{}#\r\n]+/y

function unquoted(name: string): string {
  if (name.startsWith("'")) return name.slice(1, -1)
  if (!name.startsWith('"')) return name
  try {
    return JSON.parse(name) as string
  } catch {
    // An escape that JSON does not have; no name that is looked for has one.
    return name
  }
}
