import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, type PlatformPath, posix, win32 } from 'node:path'

/** What the places of files go by. Those of other systems are worked out the same way, so that all can be shown. */
export interface Surroundings {
  platform: NodeJS.Platform
  home: string
  /** The folder where the command runs. */
  project: string
  env: NodeJS.ProcessEnv
  /** Names of the packages of Windows' own installer that Claude Desktop lies in. */
  claudePackages: readonly string[]
}

export function surroundings(): Surroundings {
  const { platform, env } = process
  const home = (platform === 'win32' ? env.USERPROFILE : env.HOME) || homedir()
  return { platform, env, home, project: process.cwd(), claudePackages: claudePackages(env) }
}

function claudePackages({ LOCALAPPDATA }: NodeJS.ProcessEnv): string[] {
  if (LOCALAPPDATA === undefined) return []
  try {
    const names = readdirSync(join(LOCALAPPDATA, 'Packages'))
    return names.filter((name) => name.startsWith('Claude_')).sort()
  } catch {
    return []
  }
}

export function pathOf({ platform }: Surroundings): PlatformPath {
  return platform === 'win32' ? win32 : posix
}

/** Where applications of a person keep their settings: `%APPDATA%`, `~/Library/Application Support`, `~/.config`. */
export function settingsFolder(around: Surroundings): string {
  if (around.platform === 'darwin') return posix.join(around.home, 'Library', 'Application Support')
  return configFolder(around)
}

/** The same of those that do on macOS as they do on Linux. */
export function configFolder(around: Surroundings): string {
  const { platform, env, home } = around
  if (platform === 'win32') return env.APPDATA || win32.join(home, 'AppData', 'Roaming')
  if (platform === 'darwin') return posix.join(home, '.config')
  const { XDG_CONFIG_HOME } = env
  // A relative one means nothing, says its specification.
  const isGiven = XDG_CONFIG_HOME !== undefined && posix.isAbsolute(XDG_CONFIG_HOME)
  return isGiven ? XDG_CONFIG_HOME : posix.join(home, '.config')
}
