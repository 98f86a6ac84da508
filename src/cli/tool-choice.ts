import { chooseTools, type ToolChoice } from '../face/mcp/tools.ts'
import { UsageError } from './usage-error.ts'
import type { Values } from './values.ts'

/** Which tools `--tools` asks for. */
export function toolChoice(values: Values): ToolChoice {
  const names = values.list('tools').flatMap((item) => item.split(/\s*,\s*/))
  const [first] = names
  if (first === undefined) return 'core'
  if (names.length === 1 && (first === 'files' || first === 'core' || first === 'full')) {
    return first
  }
  try {
    chooseTools(names)
  } catch (error) {
    throw new UsageError(`--tools: ${(error as Error).message}. Or a profile: files, core, full.`)
  }
  return names
}
