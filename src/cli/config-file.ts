import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { SHARED } from './settings.ts'
import { UsageError } from './usage-error.ts'

export interface ConfigFile {
  path: string
  content: Record<string, unknown>
}

const USUAL = 'sluice.config.json'

/**
 * @param given the file that was asked for; that one must be there.
 * @param commands names that may hold settings of one command.
 */
export function readConfigFile(
  given: string | undefined,
  commands: readonly string[],
): ConfigFile | undefined {
  const path = resolve(given ?? USUAL)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (given === undefined && code === 'ENOENT') return undefined
    throw new UsageError(`The configuration file ${path} cannot be read: ${String(code)}.`)
  }
  const content = parsed(path, text)
  const known = [...Object.keys(SHARED), ...commands, '$schema']
  for (const key of Object.keys(content)) {
    if (!known.includes(key)) {
      throw new UsageError(`${path}: there is no setting "${key}". "sluice config" lists them all.`)
    }
  }
  return { path, content }
}

function parsed(path: string, text: string): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${path} must hold one JSON object.`)
  }
  return content as Record<string, unknown>
}
