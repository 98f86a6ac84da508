import { dirname } from 'node:path'

/** One call of a tool, said so that it can be made on any folder. */
export interface Call {
  /** What it is for, which no other call of its list has. */
  name: string
  title: string
  tool: string
  arguments: (root: string) => unknown
  /** The official server ends of it, so two of them say nothing alike. */
  mayEnd?: true
}

/**
 * Tool, title, arguments. At the beginning of a text in them, `@` is the folder that most calls are made
 * on, and `@@` the place that it lies in.
 */
export type Row = readonly [tool: string, title: string, args: unknown]

export function callsOf(group: string, rows: readonly Row[]): Call[] {
  return rows.map(([tool, title, args], index) => ({
    name: `${group} ${index + 1}`,
    title,
    tool,
    arguments: (root) => placed(args, root),
  }))
}

export function placed(value: unknown, root: string): unknown {
  if (typeof value === 'string') {
    return value.replace(MARK, (_, before: string, mark: string) => {
      return before + (mark === '@' ? root : dirname(root))
    })
  }
  if (Array.isArray(value)) return value.map((one) => placed(one, root))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, placed(one, root)]))
}

/** A path may come as a URL, in quotes, or behind a blank. */
const MARK = /^((?:file:\/\/|["' ])?)(@@?)(?=\/|$)/

/** Tools that may change the folder. */
export const WRITING_TOOLS: ReadonlySet<string> = new Set([
  'write_file',
  'edit_file',
  'create_directory',
  'move_file',
])
