import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { serverNote } from '../../src/server-note.ts'
import { amountOf } from '../amount.ts'
import { hostNode } from '../cli/host-node.ts'
import { isAlive, Place, SLUICE, type Started, until } from '../cli/sluice.ts'

/**
 * `cases` E7: who runs a server for somebody, an older Node of ours or a package manager, takes it along
 * when it is ended, however it is ended; who only started it does not.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RUNNER = join(ROOT, 'bin', 'node.cjs')
const SERVE = ['serve', '--port', '0']
// The one that nobody can pass on first.
const SIGNALS = (['SIGKILL', 'SIGTERM', 'SIGINT'] as const).slice(0, amountOf(import.meta.url))
const SCRIPT_MS = 60_000

/** Each gives the process that a user sees and ends. */
const STARTERS: Record<string, (place: Place) => Started> = {
  // Whatever the host has, as where it is too old.
  'a first Node': (place) => {
    const run = `require(${JSON.stringify(RUNNER)}).run(${JSON.stringify([SLUICE, ...SERVE])})`
    return place.startAlone(['-e', run])
  },
  'npm start': (place) => {
    return place.startBy('npm', ['start', '--', '--port', '0', '--data', place.data], { cwd: ROOT })
  },
}

const host = hostNode()
if (host?.isOld === true) {
  const { path } = host
  STARTERS[`Node ${host.version}`] = (place) => place.start(SERVE, { node: path })
}

/** Ready, and its own process id. */
async function ready(started: Started, place: Place): Promise<number> {
  await started.says(/sluice ready http:\S+\n/)
  return serverNote(place.data)?.pid ?? 0
}

async function gone(pid: number): Promise<void> {
  await until(
    () => (isAlive(pid) ? undefined : true),
    () => `process ${pid} lives`,
  )
}

const hasSignals = process.platform !== 'win32'
if (!hasSignals) console.log('e-launcher.test.ts skips: there are no such signals on Windows.')

describe.skipIf(!hasSignals)('E7', () => {
  for (const [name, start] of Object.entries(STARTERS)) {
    for (const signal of SIGNALS) {
      test(`E7: ${signal} to ${name} ends the server, and the folder is free at once`, {
        timeout: SCRIPT_MS,
      }, async () => {
        const place = new Place()
        const started = start(place)
        const pid = await ready(started, place)
        expect(pid).not.toBe(started.child.pid)
        started.child.kill(signal)
        const next = place.start(SERVE)
        await next.says(/sluice ready http:\S+\n/)
        await gone(pid)
        expect(serverNote(place.data)?.pid).toBe(next.child.pid)
        expect((await next.stop()).code).toBe(0)
      })
    }
  }

  /** As npm runs any script, in a shell that may stay: npm → sh → us (→ a newer Node). */
  function startScript(place: Place, script: string, ...scripts: [string, string][]): Started {
    const all = Object.fromEntries([['one', script], ...scripts])
    writeFileSync(join(place.folder, 'package.json'), JSON.stringify({ scripts: all }))
    return place.startBy('npm', ['run', '--silent', 'one'])
  }

  const nodes = {
    'a new Node': process.execPath,
    ...(host?.isOld ? { 'an old Node': host.path } : {}),
  }
  for (const [kind, node] of Object.entries(nodes)) {
    const serve = `'${node}' '${SLUICE}' ${SERVE.join(' ')}`
    // A shell keeps SIGINT to itself until its command ends; npm cannot pass it any further.
    for (const signal of SIGNALS.filter((one) => one !== 'SIGINT')) {
      test(`E7: ${signal} to npm ends what it runs in a shell (${kind})`, {
        timeout: SCRIPT_MS,
      }, async () => {
        const place = new Place()
        const started = startScript(place, `true && ${serve} && true`)
        const pid = await ready(started, place)
        started.child.kill(signal)
        await gone(pid)
        expect(serverNote(place.data)).toBeUndefined()
      })
      test(`E7+: ${signal} to npm ends what a script of a script runs (${kind})`, {
        timeout: SCRIPT_MS,
      }, async () => {
        const place = new Place()
        const started = startScript(place, 'npm run --silent two && true', [
          'two',
          `${serve} && true`,
        ])
        const pid = await ready(started, place)
        started.child.kill(signal)
        await gone(pid)
        expect(serverNote(place.data)).toBeUndefined()
      })
    }
  }

  test('E7+: any command ends with npm, not the server alone', { timeout: SCRIPT_MS }, async () => {
    const place = new Place()
    await place.serve()
    const script = `'${process.execPath}' '${SLUICE}' watch & echo watcher $!; wait`
    const started = startScript(place, script)
    const pid = Number((await started.says(/watcher (\d+)\n/))[1])
    // Only then has it looked who runs it.
    await until(async () => ((await sessionsOf(place)) > 1 ? true : undefined))
    started.child.kill('SIGKILL')
    await gone(pid)
  })

  test('E7: a server that a shell started in the background outlives the shell', async () => {
    const place = new Place()
    const serve = `'${process.execPath}' '${SLUICE}' ${SERVE.join(' ')}`
    // Also where the shell itself was started by something that npm runs.
    const shell = place.startBy('sh', ['-c', `${serve} & read line`], {
      env: { npm_execpath: '/usr/bin/npm', npm_lifecycle_event: 'start' },
    })
    const pid = await ready(shell, place)
    shell.child.kill('SIGKILL')
    await until(() => (shell.child.signalCode === null ? undefined : true))
    // Longer than a server takes to find out, three times over.
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect((await place.run(['status'])).code).toBe(0)
    expect(isAlive(pid)).toBe(true)
  })

  test('E7: the server that "sluice mcp" starts is nobody’s: it outlives npm', {
    timeout: SCRIPT_MS,
  }, async () => {
    const place = new Place()
    const mcp = `'${process.execPath}' '${SLUICE}' mcp --idle-exit 30`
    const started = startScript(place, `${mcp} & echo mcp $!; wait`)
    const door = Number((await started.says(/mcp (\d+)\n/))[1])
    const pid = await until(() => serverNote(place.data)?.pid)
    started.child.kill('SIGKILL')
    await gone(door)
    expect(isAlive(pid)).toBe(true)
  })
})

async function sessionsOf(place: Place): Promise<number> {
  const { out } = await place.run(['call', 'list_sessions'])
  return (JSON.parse(out) as { sessions: unknown[] }).sessions.length
}
