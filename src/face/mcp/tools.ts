import { holdTools } from './hold-tools.ts'
import { listTools } from './list-tools.ts'
import { lockTools } from './lock-tools.ts'
import { readTools } from './read-tools.ts'
import { supervisorTools } from './supervisor-tools.ts'
import type { Tool } from './tool.ts'
import { writeTools } from './write-tools.ts'

/** Which tools a client sees: a profile, or names. The order is always the same. */
export type Profile = 'files' | 'core' | 'full'
export type ToolChoice = Profile | readonly string[]

const FILES: readonly Tool[] = [...readTools, ...writeTools, ...listTools]
const CORE: readonly Tool[] = [...FILES, ...lockTools, ...holdTools]
const FULL: readonly Tool[] = [...CORE, ...supervisorTools]

const PROFILES: Record<Profile, readonly Tool[]> = {
  files: FILES,
  core: CORE,
  full: FULL,
}

export const TOOL_NAMES: readonly string[] = FULL.map((tool) => tool.name)

/** @throws when a name in the list is no tool. */
export function chooseTools(choice: ToolChoice): readonly Tool[] {
  if (typeof choice === 'string') return PROFILES[choice]
  const unknown = choice.filter((name) => !TOOL_NAMES.includes(name))
  if (unknown.length > 0) {
    throw new Error(`no such tools: ${unknown.join(', ')}; there are ${TOOL_NAMES.join(', ')}`)
  }
  return FULL.filter((tool) => choice.includes(tool.name))
}
