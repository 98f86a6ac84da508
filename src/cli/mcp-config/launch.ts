import { accessSync, constants, realpathSync } from 'node:fs'
import { delimiter, isAbsolute, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How a client starts a program. */
export interface Launch {
  command: string
  args: readonly string[]
}

/**
 * How a client starts this installation: by name where a shell would find it by that name, else by whole
 * paths, which work whatever PATH the client has.
 *
 * @param isByPath whether the client looks where the terminal of this command looks
 */
export function launchOf(
  args: readonly string[],
  isByPath: boolean,
  { PATH = '' }: NodeJS.ProcessEnv = process.env,
): Launch {
  const bin = fileURLToPath(new URL('../../../bin/sluice.cjs', import.meta.url))
  // On Windows the name is a script, which a client cannot start without a shell.
  if (isByPath && process.platform !== 'win32' && isFirstOn(PATH, bin)) {
    return { command: 'sluice', args }
  }
  return { command: process.execPath, args: [bin, ...args] }
}

function isFirstOn(path: string, bin: string): boolean {
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder) || isOfPackageManager(folder)) continue
    try {
      const file = join(folder, 'sluice')
      accessSync(file, constants.X_OK)
      return realpathSync(file) === realpathSync(bin)
    } catch {
      // Not there: the next folder is looked into.
    }
  }
  return false
}

/** A package manager puts such a folder there for as long as it runs; no client will have it. */
function isOfPackageManager(folder: string): boolean {
  return folder.split(sep).filter(Boolean).slice(-2).join('/') === 'node_modules/.bin'
}

/** For a shell to read. */
export function shellText({ command, args }: Launch): string {
  return [command, ...args].map(shellWord).join(' ')
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
