/** Finds the programs of peers, and installs them where that is allowed and possible. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Program {
  name: string
  /** The Debian package it comes with. */
  package: string
  /** Where it may lie besides PATH. */
  folders?: () => string[]
}

/** The program's path, or undefined; a full run installs what is missing, a quick one skips it. */
export function findProgram(program: Program, mayInstall: boolean): string | undefined {
  const found = lookFor(program)
  if (found !== undefined || !mayInstall) return found
  install(program.package)
  return lookFor(program)
}

function lookFor({ name, folders }: Program): string | undefined {
  const path = process.env.PATH?.split(delimiter) ?? []
  return [...path, '/usr/sbin', ...(folders?.() ?? [])]
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
}

let listsAreFresh = false

function install(debianPackage: string): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    console.error(`${debianPackage} is missing; install it (or run as root on Debian) to compare.`)
    return
  }
  console.error(`installing ${debianPackage} …`)
  if (!listsAreFresh) spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' })
  listsAreFresh = true
  const args = ['install', '-y', '--no-install-recommends', debianPackage]
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' })
  if (status === 0) return
  console.error(`could not install ${debianPackage}, so it is left out:\n${stderr ?? ''}`)
}

/** Debian keeps each major version of PostgreSQL in a folder of its own; newest first. */
export function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return []
  return readdirSync(root)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(root, version, 'bin'))
}
