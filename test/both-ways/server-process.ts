import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The command as people run it. */
export const SLUICE = fileURLToPath(new URL('../../bin/sluice.cjs', import.meta.url))

/** Asks again until it is so. */
export async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + UNTIL_MS; Date.now() < deadline; await pause(30)) {
    if (await holds()) return
  }
  throw new Error(`it never came to that: ${what}`)
}

/** Ends a server in order, as a signal asks it to. It is nobody's child here. */
export async function stopServer(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  await until(() => !isAlive(pid), `the server ${pid} ends`)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const UNTIL_MS = 30_000
