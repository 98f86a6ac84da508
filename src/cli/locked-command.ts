import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Lock, type LockOptions, type Workspace } from '../client/index.ts'
import { fail } from '../contract/errors.ts'
import type { Input } from '../contract/operations.ts'
import { COMMAND_NOT_FOUND, COMMAND_NOT_RUNNABLE, exitOfSignal } from './exit-code.ts'
import { targetOf } from './target.ts'
import { Failure } from './usage-error.ts'
import type { Values } from './values.ts'

/** Holds a lock while a command runs; gives the command's exit code. */
export async function runLocked(
  values: Values,
  input: Input<'acquire_lock'>,
  waitS: number,
  words: readonly string[],
): Promise<number> {
  const agent = values.text('agent')
  const sluice = await connect({
    ...(await targetOf(values)),
    retryMs: RETRY_MS,
    about: { client: 'sluice lock' },
    ...(agent === undefined ? {} : { agent }),
  })
  // Whoever is stopped while it waits leaves no place in the queue behind.
  const onSignal = (signal: NodeJS.Signals): void => {
    const end = (): never => process.exit(exitOfSignal(signal))
    sluice.close().then(end, end)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  try {
    const lock = await take(sluice.workspace(values.text('workspace')), input, waitS)
    for (const signal of signals) process.off(signal, onSignal)
    return await held(lock, words)
  } finally {
    await sluice.close()
  }
}

const RETRY_MS = 30_000

async function take(
  workspace: Workspace,
  input: Input<'acquire_lock'>,
  waitS: number,
): Promise<Lock> {
  const { path, items, level, scope, stable, ttl, priority, intent, renew, any } = input
  const { range, lines, key, if_version: ifVersion, lock_delay: lockDelay } = input
  const isStable = stable === true
  const options: LockOptions = {
    wait: waitS,
    stable: isStable,
    ...given({ level, scope, ttl, priority, intent, renew, any }),
    ...given({ range, lines, key, ifVersion, lockDelay }),
  }
  if (items === undefined) return workspace.lock(path as string, options)
  const targets = items.map((item) => {
    return { path: item.path, ...given({ scope: item.scope, key: item.key }) }
  })
  return workspace.lock(targets, options)
}

function given(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

async function held(lock: Lock, words: readonly string[]): Promise<number> {
  const child = spawn(words[0] as string, words.slice(1), {
    stdio: 'inherit',
    env: {
      ...process.env,
      SLUICE_LOCK: lock.token,
      SLUICE_FENCE: String(lock.fence),
      // Of several that would do, the command must know which it has.
      SLUICE_PATHS: lock.items.map((item) => item.path).join('\n'),
    },
  })
  let isLost = false
  lock.signal.addEventListener('abort', () => {
    isLost = true
    stop(child)
  })
  const exit = await ended(child, words[0] as string)
  if (isLost) fail('lock_lost', `The lock ${lock.id} was lost; the command was stopped.`)
  await lock.release()
  return exit
}

/** Time a command has to end by itself once its lock is lost. */
const STOP_MS = 5000

function stop(child: ChildProcess): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), STOP_MS).unref()
}

function ended(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const forward = (signal: NodeJS.Signals): void => {
      // What a terminal sends, the command has got already.
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward)
    child.on('error', ({ code }: NodeJS.ErrnoException) => {
      const exit = code === 'ENOENT' ? COMMAND_NOT_FOUND : COMMAND_NOT_RUNNABLE
      reject(new Failure(`The command ${command} cannot be run: ${String(code)}.`, exit))
    })
    child.on('close', (code, signal) => {
      resolve(signal === null ? (code ?? 1) : exitOfSignal(signal))
    })
  })
}
