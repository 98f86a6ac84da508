import { fstatSync, readFileSync } from 'node:fs'
import { isatty } from 'node:tty'

/**
 * The terminal that this process runs in, as a name: commands of one terminal are one caller, those
 * of another terminal somebody else. Undefined where there is none (a script, an agent's shell): then
 * nobody can tell one caller from the next, and none is taken for another.
 */
export function terminalName(): string | undefined {
  if (process.platform === 'linux') return linuxTerminal()
  const standard = [0, 1, 2].find((descriptor) => isatty(descriptor))
  return standard === undefined ? undefined : `terminal-${fstatSync(standard).rdev}`
}

/** Also where all three standard streams are redirected: proc(5), `session` and `tty_nr`. */
function linuxTerminal(): string | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [, , , session, terminal] = fields
    return terminal === undefined || terminal === '0' ? undefined : `terminal-${session}`
  } catch {
    return undefined
  }
}
