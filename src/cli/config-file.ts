import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { repeatedKey } from './repeated-key.ts'
import { UsageError } from './usage-error.ts'

export interface ConfigFile {
  path: string
  content: Section
}

/** Settings by name, and below the name of a command those that only that one has. */
export type Section = Readonly<Record<string, unknown>>

const USUAL = 'sluice.config.json'

/** @param given the file that was asked for; that one must be there. */
export function readConfigFile(given: string | undefined): ConfigFile | undefined {
  const path = resolve(given ?? USUAL)
  try {
    return { path, content: parsed(path, readFileSync(path, 'utf8')) }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (given === undefined && code === 'ENOENT') return undefined
    throw new UsageError(`The configuration file ${path} cannot be read: ${String(code)}.`)
  }
}

function parsed(path: string, text: string): Section {
  // Editors on Windows put a mark before it.
  const json = text.replace(/^\uFEFF/, '')
  let content: unknown
  try {
    content = JSON.parse(json)
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`)
  }
  if (!isSection(content)) throw new UsageError(`${path} must hold one JSON object.`)
  const repeated = repeatedKey(json)
  if (repeated !== undefined) {
    throw new UsageError(`${path} says "${repeated}" twice. Leave one of them out.`)
  }
  return content
}

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What the file says for one command; `words` is its name, `agents add` for example. */
export function sectionOf(file: ConfigFile | undefined, command: string): Section | undefined {
  let section: unknown = file?.content
  for (const word of command.split(' ')) {
    if (!isSection(section)) return undefined
    section = Object.hasOwn(section, word) ? section[word] : undefined
  }
  return isSection(section) ? section : undefined
}
