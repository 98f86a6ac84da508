import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import { serverNote } from '../../src/server-note.ts'
import { NearServer } from '../server/near.ts'
import { ranInside } from './inside.ts'

/**
 * The command as people run it, on folders of their own. Stories about what a command says run it inside
 * the test (`inside.ts`); those about processes start them, through bin/sluice.cjs.
 */
export const SLUICE = fileURLToPath(new URL('../../bin/sluice.cjs', import.meta.url))

export interface Ran {
  code: number | null
  out: string
  err: string
}

export interface RunOptions {
  /** What stdin says; then it ends. */
  input?: string | Uint8Array
  env?: Record<string, string>
  node?: string
  /** Default: the folder of the place. */
  cwd?: string
  /** In a process group of its own, so that no terminal says who calls. */
  detached?: boolean
  /** A process of its own, whatever the command is. */
  apart?: boolean
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const running = new Set<Child>()
const near = new Set<NearServer>()
const folders: string[] = []
let isAllApart = false

/** From here on nothing runs inside the test: a process for each command and each server. */
export function allApart(): void {
  isAllApart = true
}

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map(endOf))
  await Promise.all([...near].map((server) => server.close()))
  near.clear()
  for (const folder of folders.splice(0)) {
    const pid = serverNote(join(folder, 'data'))?.pid
    if (pid !== undefined) await stopped(pid)
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A place with nothing in it: commands run there, so `./data` is its data folder. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
  readonly data = join(this.folder, 'data')

  constructor() {
    folders.push(this.folder)
  }

  start(words: readonly string[], options: RunOptions = {}): Started {
    return this.spawn([SLUICE, ...words], options)
  }

  /** Node with these arguments, in a process group of its own as a terminal makes them. */
  startAlone(words: readonly string[]): Started {
    return this.spawn(words, { detached: true })
  }

  /** A program that starts the command in its own way, such as a shell or npm. */
  startBy(program: string, words: readonly string[], options: RunOptions = {}): Started {
    return this.spawn(words, { ...options, node: program })
  }

  private spawn(words: readonly string[], options: RunOptions): Started {
    const child = spawn(options.node ?? process.execPath, words, {
      cwd: options.cwd ?? this.folder,
      detached: options.detached === true,
      env: environment(options),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(child)
    // A command that does not read its stdin may be gone before it got all.
    child.stdin.on('error', () => {})
    return new Started(child)
  }

  /** Runs a command to its end: inside the test, unless the command itself is about processes. */
  async run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    if (!isAllApart && !isApart(words, options)) {
      const cwd = options.cwd ?? this.folder
      const { code, out, err } = await ranInside(words, {
        ...options,
        env: environment(options),
        cwd,
      })
      return { code, out, err }
    }
    return this.runBy(options.node ?? process.execPath, [SLUICE, ...words], options)
  }

  async runBy(program: string, words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const started = this.startBy(program, words, options)
    started.child.stdin.end(options.input)
    return started.ended()
  }

  /** A server, ready: inside the test, unless all is apart. */
  async open(): Promise<{ url: string }> {
    if (isAllApart) return this.serve()
    const server = await NearServer.open(this.data)
    near.add(server)
    return server
  }

  /** A server of its own process on a free port, ready. */
  async serve(...words: string[]): Promise<Started> {
    const server = this.start(['serve', '--port', '0', ...words])
    await server.says(/^sluice ready http:\S+\n/)
    return server
  }

  async token(): Promise<string> {
    return readFile(join(this.data, 'admin.token'), 'utf8')
  }
}

function environment(options: RunOptions): NodeJS.ProcessEnv {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')),
  )
  // One caller, wherever the tests run.
  return { ...env, NO_COLOR: '1', SLUICE_SESSION: 'cli', ...options.env }
}

/** Servers, doors on stdio, and commands of others that are run. */
function isApart(words: readonly string[], { node, apart }: RunOptions): boolean {
  const [command = '', sub] = words
  const isProcess = PROCESSES.has(command) && `${command} ${sub}` !== 'mcp config'
  return apart === true || node !== undefined || isProcess || words.includes('--')
}

const PROCESSES = new Set(['serve', 'mcp', 'bench'])

export class Started {
  readonly child: Child
  out = ''
  err = ''

  constructor(child: Child) {
    this.child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text
    })
  }

  /** Resolves when stdout matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      () => pattern.exec(this.out) ?? undefined,
      () => `${this.out}\n${this.err}`,
    )
  }

  async ended(): Promise<Ran> {
    const code = await endOf(this.child)
    running.delete(this.child)
    return { code, out: this.out, err: this.err }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ran> {
    this.child.kill(signal)
    return this.ended()
  }

  get url(): string {
    return /http:\S+/.exec(this.out)?.[0] ?? ''
  }
}

/** Asks again until there is an answer; a test's own timeout is the bound. */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  about: () => string = () => '',
): Promise<T> {
  const deadline = performance.now() + UNTIL_MS
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`it never came to that: ${about()}`)
    await pause(20)
  }
}

const UNTIL_MS = 15_000

function endOf(child: Child): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('close', resolve))
}

/** A server that was started in passing is nobody's child here. */
async function stopped(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    return
  }
  await until(() => (isAlive(pid) ? undefined : true))
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch {
    return false
  }
}

/** Over, and only not yet asked after by whoever has inherited it. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
}
