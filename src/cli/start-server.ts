import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ServerNote } from '../server-note.ts'
import { makeDataFolder } from './data-folder.ts'
import { findServer } from './find-server.ts'
import { Failure, TAKEN } from './usage-error.ts'

/**
 * The server of a data folder that all `sluice mcp` processes of this machine share: found, or started
 * as a process of its own that ends by itself when idle. Of two that are started at once, one gets the
 * folder; the other says so by its exit code, and whoever started it finds the first.
 */
export async function findOrStartServer(
  data: string,
  idleSeconds: number,
  folders: readonly string[] = [],
): Promise<ServerNote> {
  const deadline = performance.now() + START_MS
  let started: Started | undefined
  for (;;) {
    const found = await findServer(data)
    if (found !== undefined) return found
    if (started?.exit !== undefined && started.exit !== TAKEN) {
      throw new Failure(`The server for ${data} could not start: ${lastLineOf(data)}`)
    }
    if (performance.now() > deadline) {
      throw new Failure(
        `No server for ${data} was ready within ${START_MS / 1000} s. ${logFile(data)} may say why.`,
      )
    }
    // A server that is just ending may have had the folder: try again until somebody serves it.
    if (started === undefined || started.exit === TAKEN) started = start(data, idleSeconds, folders)
    await pause(POLL_MS)
  }
}

const START_MS = 30_000
const POLL_MS = 60

export function logFile(data: string): string {
  return join(data, 'server.log')
}

interface Started {
  exit: number | undefined
}

/** @param folders as `--folder` takes them */
function start(data: string, idleSeconds: number, folders: readonly string[]): Started {
  makeDataFolder(data)
  const log = openSync(logFile(data), 'a', 0o600)
  const main = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url),
  )
  const words = ['serve', '--data', data, '--host', '127.0.0.1', '--port', '0']
  const served = folders.flatMap((one) => ['--folder', one])
  const idle = ['--idle-exit', String(idleSeconds)]
  const child = spawn(process.execPath, [...LEAN, main, ...words, ...served, ...idle], {
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', log],
    // Its own folder, so that no configuration file of ours is its, and no folder is kept busy.
    cwd: data,
    env: withoutSettings(),
  })
  closeSync(log)
  const started: Started = { exit: undefined }
  child.on('exit', (code) => {
    started.exit = code ?? 1
  })
  child.on('error', () => {
    started.exit = 1
  })
  child.unref()
  return started
}

/**
 * It runs in the background of somebody's machine: collected a little more often, a server over 100,000
 * files has a third less memory.
 */
const LEAN = ['--max-semi-space-size=8', '--heap-growing-percent=30']

/** It is shared: what one of its users has set is not meant for the others. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')),
  )
}

function lastLineOf(data: string): string {
  try {
    const lines = readFileSync(logFile(data), 'utf8').trimEnd().split('\n')
    return lines.at(-1) ?? ''
  } catch {
    return 'it left no log.'
  }
}
