import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface HostNode {
  path: string
  version: string
  /** Too old for the project, so that bin/sluice.cjs runs a newer one. */
  isOld: boolean
}

/** The Node of this machine, as a user has it: not the one that npm scripts put before it. */
export function hostNode(): HostNode | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'node.exe' : 'node')
    if (folder.includes('node_modules') || !existsSync(path)) continue
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
    return { path, version, isOld: major < 22 || (major === 22 && minor < 18) }
  }
  return undefined
}
