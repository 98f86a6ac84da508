/**
 * The stage a scenario plays on: a scratch folder and child processes, all of it taken down at the
 * end, however the end comes (return, throw, Ctrl-C).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from './measure.ts'

/** How long a child may take to end after SIGTERM before it is killed. */
const STOP_MS = 10_000

export interface Child {
  process: ChildProcess
  /** Everything it printed so far, the last 64 KiB of it. */
  output(): string
  stop(): Promise<void>
}

export interface Stage {
  folder: string
  spawn(command: string, args: readonly string[], options?: { cwd?: string }): Child
  /** Runs at the end, last registered first. */
  atEnd(undo: () => unknown): void
}

const open = new Set<() => Promise<void>>()
let interrupted = false

/** Gives `play` a stage and takes it down afterwards. */
export async function onStage<T>(name: string, play: (stage: Stage) => Promise<T>): Promise<T> {
  catchSignals()
  const root = process.env.SLUICE_BENCH_DIR ?? tmpdir()
  const folder = await mkdtemp(join(root, `sluice-bench-${name}-`))
  // A database that runs as a user of its own must reach its folder in here.
  await chmod(folder, 0o755)
  const undos: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })]
  const takeDown = async (): Promise<void> => {
    open.delete(takeDown)
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
      try {
        await undo()
      } catch (error) {
        console.error(`could not clean up: ${error}`)
      }
    }
  }
  open.add(takeDown)
  const atEnd = (undo: () => unknown): void => {
    undos.push(undo)
  }
  try {
    return await play({ folder, atEnd, spawn: (...args) => spawnChild(atEnd, ...args) })
  } catch (error) {
    // What fails while everything is taken down is no news; the process ends with that.
    if (interrupted) return await new Promise(() => {})
    throw error
  } finally {
    await takeDown()
  }
}

function catchSignals(): void {
  if (open.size > 0 || interrupted) return
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal)
    process.once(signal, () => {
      interrupted = true
      process.on('unhandledRejection', () => {})
      Promise.allSettled([...open].map((takeDown) => takeDown())).then(
        () => process.exit(130),
        () => process.exit(130),
      )
    })
  }
}

function spawnChild(
  atEnd: Stage['atEnd'],
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Child {
  // A group of its own: Ctrl-C reaches us only, and children are stopped in order.
  const child = spawn(command, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-65_536)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', (error) => {
    output += String(error)
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const late = setTimeout(() => killGroup(child.pid), STOP_MS)
    await ended
    clearTimeout(late)
  }
  atEnd(stop)
  return { process: child, output: () => output, stop }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended meanwhile.
  }
}

/** Waits until `ready` holds; fails at once when the child ends, and after `withinMs`. */
export async function untilReady(
  child: Child,
  ready: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await ready())) {
    const { exitCode, signalCode, pid } = child.process
    if (pid === undefined || exitCode !== null || signalCode !== null) {
      throw new Error(`${child.process.spawnfile} ended before it was ready:\n${child.output()}`)
    }
    if (performance.now() > deadline) {
      throw new Error(`${child.process.spawnfile} was not ready in time:\n${child.output()}`)
    }
    await sleep(10)
  }
}

/** A loopback port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Whether something listens there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Resident memory of a process in MiB; undefined where the system does not tell. */
export async function residentMib(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]
    return kib === undefined ? undefined : Number(kib) / 1024
  } catch {
    return undefined
  }
}
