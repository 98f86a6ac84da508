import { isDeepStrictEqual } from 'node:util'
import type { Launch } from './launch.ts'
import type { Merged } from './merged.ts'
import { NotToml, type Statement, statementsOf } from './toml-statements.ts'

/** The table of a server. Its names are made of letters, digits, `_` and `-`. */
export function tableText(names: readonly string[], { command, args }: Launch): string {
  const list = args.map(tomlString).join(', ')
  return `[${names.join('.')}]\ncommand = ${tomlString(command)}\nargs = [${list}]\n`
}

/** Its escapes are those of JSON, but for one character. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f')
}

/** A header with the settings below it, or those before the first header. */
interface Section {
  names: readonly string[]
  header: Statement | undefined
  settings: Statement[]
}

/**
 * Puts a table behind a TOML text; all that stands there stays as it is. Where its name is there already
 * in another form than a table of its own, a person has to decide.
 */
export function mergeToml(
  toml: string,
  names: readonly [string, string],
  launch: Launch,
  isForced: boolean,
): Merged {
  let sections: Section[]
  try {
    sections = sectionsOf(statementsOf(toml))
  } catch (error) {
    if (!(error instanceof NotToml)) throw error
    return { kind: 'unclear', why: `cannot be read as TOML from ${error.message} on` }
  }
  if (sections.some((section) => saysOtherwise(section, names))) {
    const why = `says "${names[0]}" in another form than [${names.join('.')}]`
    return { kind: 'unclear', why }
  }
  const lineEnd = toml.includes('\r\n') ? '\r\n' : '\n'
  const table = tableText(names, launch).replaceAll('\n', lineEnd)
  const own = sections.filter((section) => isBelow(section.names, names))
  const [first] = own
  if (first === undefined) {
    const ended = toml.endsWith('\n') ? toml : `${toml}${lineEnd}`
    return { kind: 'merged', text: `${ended}${lineEnd}${table}` }
  }
  if (own.length === 1 && isSame(first, names, launch)) return { kind: 'same' }
  if (!isForced) return { kind: 'other' }
  let text = toml
  for (const section of own.toReversed()) {
    const [start, end] = spanOf(section)
    text = text.slice(0, start) + (section === first ? table : '') + text.slice(end)
  }
  return { kind: 'merged', text }
}

function sectionsOf(statements: readonly Statement[]): Section[] {
  let last: Section = { names: [], header: undefined, settings: [] }
  const sections = [last]
  for (const statement of statements) {
    if (statement.kind === 'setting') last.settings.push(statement)
    else {
      last = { names: statement.names, header: statement, settings: [] }
      sections.push(last)
    }
  }
  return sections
}

function isBelow(names: readonly string[], above: readonly string[]): boolean {
  return above.every((name, index) => names[index] === name)
}

/** `mcp_servers = {…}`, `mcp_servers.NAME.command = …`, `NAME = {…}` below `[mcp_servers]`, and lists. */
function saysOtherwise({ names, header, settings }: Section, own: readonly string[]): boolean {
  const isOurs = (one: readonly string[]): boolean => isBelow(own.slice(0, one.length), one)
  if (header?.kind === 'list of tables' && (isOurs(names) || isBelow(names, own))) return true
  if (isBelow(names, own)) return false
  return settings.some((setting) => {
    const full = [...names, ...setting.names]
    return isOurs(full) || isBelow(full, own)
  })
}

function isSame({ names, settings }: Section, own: readonly string[], launch: Launch): boolean {
  if (names.length !== own.length) return false
  const said = settings.map(({ names, value }) => [names.join('.'), meaningOf(value)])
  const { command, args } = launch
  return isDeepStrictEqual(Object.fromEntries(said), { command, args: [...args] })
}

/** Of strings and lists of them; else the text. */
function meaningOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/,\s*\]$/, ']'))
  } catch {
    return text
  }
}

function spanOf({ header, settings }: Section): [number, number] {
  const last = settings.at(-1) ?? header
  return [header?.start ?? 0, last?.end ?? 0]
}
