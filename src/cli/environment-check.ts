import { nearName } from '../contract/near-name.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { environmentName } from './setting.ts'
import { SHARED } from './settings.ts'
import { isShared } from './values.ts'

/** Set for commands that `sluice lock` runs, whatever they are. */
const FOR_OTHERS = ['SLUICE_LOCK', 'SLUICE_FENCE', 'SLUICE_PATHS']

/**
 * Says on stderr which variables look like settings and are none. No refusal, because other programs
 * may call theirs so: Kubernetes does, for a service of this name.
 */
export async function warnOfVariables(): Promise<void> {
  const given = Object.keys(process.env).filter((name) => name.startsWith('SLUICE_'))
  const known = [
    ...FOR_OTHERS,
    ...Object.values(SHARED).map((setting) => environmentName(setting, undefined)),
  ]
  const others = given.filter((name) => !known.includes(name))
  if (others.length === 0) return
  for (const [name, load] of Object.entries(COMMANDS)) {
    const start = `SLUICE_${name.toUpperCase()}`
    // Loading takes longer than a short command runs, so only what may have such a name.
    if (others.some((variable) => variable.startsWith(start))) {
      known.push(...variablesOf(name, await load()))
    }
  }
  const unknown = others.filter((name) => !known.includes(name)).sort()
  if (unknown.length === 0) return
  const said = unknown.map((name) => {
    const near = nearName(
      name.slice(PREFIX.length),
      known.map((each) => each.slice(PREFIX.length)),
    )
    return near === undefined ? name : `${name} (did you mean ${PREFIX}${near}?)`
  })
  process.stderr.write(`sluice: ignored, because there is no such setting: ${said.join(', ')}.\n`)
}

const PREFIX = 'SLUICE_'

function variablesOf(name: string, command: Command): string[] {
  const own = command.settings.map((setting) => {
    return environmentName(setting, isShared(setting) ? undefined : name)
  })
  const subs = Object.entries(command.subcommands ?? {})
  return [...own, ...subs.flatMap(([sub, each]) => variablesOf(`${name} ${sub}`, each))]
}
