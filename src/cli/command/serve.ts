import type { Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { hostName } from '../../contract/host-name.ts'
import { originOf } from '../../contract/origin.ts'
import type { RunningServer, ServerOptions } from '../../server.ts'
import { tokenFile } from '../../server-note.ts'
import type { Command } from '../command.ts'
import { makeDataFolder } from '../data-folder.ts'
import { findServer } from '../find-server.ts'
import { trackedText } from '../folder-lines.ts'
import { watchIdle } from '../idle-exit.ts'
import { reportError } from '../report-error.ts'
import { refuseNested, servedFolder } from '../served-folder.ts'
import { SHARED } from '../settings.ts'
import { dataFolder } from '../target.ts'
import { Failure, TAKEN, UsageError } from '../usage-error.ts'
import type { Values } from '../values.ts'

/** `sluice serve`: one process over one folder, until a signal or idleness ends it. */
export const serve: Command = {
  summary: 'Serve a data folder: the API, MCP, metrics and docs on one port.',
  settings: [
    SHARED.data,
    SHARED.host,
    SHARED.port,
    SHARED['allow-host'],
    SHARED['allow-origin'],
    SHARED['log-level'],
    SHARED['idle-exit'],
    SHARED.folder,
    SHARED.config,
  ],
  async run({ values }) {
    try {
      await serveUntilEnd(values)
    } catch (error) {
      // A store that failed half-way may have left a thread that would keep this process.
      process.exit(reportError(error, false))
    }
    process.exit(0)
  },
}

async function serveUntilEnd(values: Values): Promise<void> {
  const options = optionsOf(values)
  const ending = endOnSignal()
  makeDataFolder(options.data)
  const idleMs = (values.number('idle-exit') ?? 0) * 1000
  const server = await start({
    ...options,
    shared: idleMs > 0,
    ...(await loggerOf(values)),
    extend: (app) => {
      if (idleMs > 0) watchIdle(app.server as Server, idleMs, ending.end)
    },
  })
  sayWhatToKnow(server, options)
  process.stdout.write(`sluice ready ${server.url}\n`)
  showScans(server)
  await ending.ended
  await server.close()
}

function optionsOf(values: Values): ServerOptions {
  const port = values.number('port') as number
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`--port: ${port} is no port; ports are 0 to 65535.`)
  }
  return {
    data: dataFolder(values),
    host: hostGiven('--host', values.text('host') as string).replace(/^\[(.*)\]$/, '$1'),
    port,
    allowHosts: values.list('allow-host').map((name) => hostGiven('--allow-host', name)),
    allowOrigins: values.list('allow-origin').map(originGiven),
    folders: foldersGiven(values.list('folder')),
  }
}

/** `NAME=DIR`: several of one name make one workspace with several roots. */
function foldersGiven(given: readonly string[]): Record<string, string[]> {
  const folders: Record<string, string[]> = {}
  for (const one of given) {
    const [, name, folder] = /^([^=/\\]+)=(.+)$/.exec(one) ?? []
    if (name === undefined || folder === undefined || !WORKSPACE_NAME.test(name)) {
      throw new UsageError(
        `--folder: "${one}" is not NAME=DIR, such as main=/home/me/project: the name of a workspace (a–z, ` +
          '0–9, ".", "_", "-"), and a folder that is there.',
      )
    }
    const real = servedFolder(folder)
    folders[name] = [...new Set([...(folders[name] ?? []), real])]
  }
  refuseNested(Object.values(folders).flat())
  return folders
}

const WORKSPACE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** One that never matches would show only when somebody is refused. */
function hostGiven(flag: string, given: string): string {
  const result = hostName(given)
  if (!result.ok) throw new UsageError(`${flag}: "${given}": ${result.fault}.`)
  return result.host
}

function originGiven(given: string): string {
  const result = originOf(given)
  if (!result.ok) throw new UsageError(`--allow-origin: "${given}": ${result.fault}.`)
  return result.origin
}

async function loggerOf(values: Values): Promise<Pick<ServerOptions, 'logger'>> {
  const { pino } = await import('pino')
  const level = values.text('log-level') as string
  return { logger: pino({ level }, pino.destination({ dest: 2, sync: true })) }
}

async function start(options: ServerOptions): Promise<RunningServer> {
  const { FolderTaken } = await import('../../server.ts')
  try {
    return await startWhenFree(options)
  } catch (error) {
    const { code, message, name } = error as NodeJS.ErrnoException
    const { host, port, data } = options
    if (error instanceof FolderTaken) throw new Failure(error.message, TAKEN)
    if (code === 'EADDRINUSE') {
      throw new Failure(
        `Port ${port} of ${host} is in use by another program. ` +
          'Choose another with --port, or 0 for any free one.',
      )
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new Failure(`This machine has no address ${host}. Choose another with --host.`)
    }
    if (code === 'EACCES' && message.includes('listen')) {
      throw new Failure(`You may not use port ${port}. Choose one above 1023 with --port.`)
    }
    if (code === 'EACCES' || code === 'EROFS') {
      throw new Failure(`The data folder ${data} cannot be written: ${message}.`)
    }
    if (TOLD_AS_THEY_ARE.has(name)) throw new Failure(message)
    throw error
  }
}

/** Faults that say themselves what to do. */
const TOLD_AS_THEY_ARE: ReadonlySet<string> = new Set([
  ...['LedgerDamaged', 'HasFilesAlready', 'FolderEmptied'],
])

/**
 * Who ends a server and starts it again need not wait in between: one that is on its way out, or finds
 * only now that what started it was killed, has the folder for a moment longer.
 */
async function startWhenFree(options: ServerOptions): Promise<RunningServer> {
  const { startServer, FolderTaken } = await import('../../server.ts')
  const begun = performance.now()
  for (;;) {
    try {
      return await startServer(options)
    } catch (error) {
      // Whoever starts a shared server looks for the other one instead.
      if (!(error instanceof FolderTaken) || options.shared === true) throw error
      const isServed = (await findServer(options.data)) !== undefined
      if (performance.now() - begun > (isServed ? SERVED_MS : ENDING_MS)) throw error
      await pause(AGAIN_MS)
    }
  }
}

const SERVED_MS = 800
/** More than a server has to drain. */
const ENDING_MS = 10_000
const AGAIN_MS = 100

function sayWhatToKnow({ engine }: RunningServer, { data, host }: ServerOptions): void {
  if (engine.firstToken !== undefined) {
    process.stderr.write(
      `First start: the token of "admin" is in ${tokenFile(data)}. ` +
        'Commands on this machine find it by themselves.\n',
    )
  }
  if (!['127.0.0.1', 'localhost', '::1'].includes(host)) {
    process.stderr.write(
      `Listening on ${host} without encryption: put a proxy with TLS in front of it, ` +
        'and name it with --allow-host.\n',
    )
  }
}

/** On a terminal: how far the first look through the folders is. */
function showScans(server: RunningServer): void {
  if (process.stderr.isTTY !== true) return
  for (const [name, { scan }] of Object.entries(server.folders())) {
    if (scan.done) continue
    const timer = setInterval(() => {
      const now = server.folders()[name]?.scan
      if (now === undefined) return
      process.stderr.write(`\r${name}: ${trackedText(now)}\u001b[K${now.done ? '\n' : ''}`)
      if (now.done) clearInterval(timer)
    }, PROGRESS_MS)
    timer.unref()
  }
}

const PROGRESS_MS = 200

/** The first signal drains; a later one ends the process at once. */
function endOnSignal(): { ended: Promise<void>; end: () => void } {
  let end = (): void => {}
  const ended = new Promise<void>((resolvePromise) => {
    end = resolvePromise
  })
  let firstAt: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now()
      // One Ctrl-C may come twice: from the terminal, and passed on by the process that started us.
      if (firstAt !== undefined && now - firstAt > SAME_SIGNAL_MS) process.exit(1)
      firstAt ??= now
      end()
    })
  }
  return { ended, end }
}

const SAME_SIGNAL_MS = 300
