/** Starts and stops a Sluice server as a process of its own. */
import { mkdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ConnectOptions, connect, type Sluice } from '../src/client/index.ts'
import { type Child, freePort, type Stage, untilReady } from './stage.ts'

export const SLUICE = fileURLToPath(new URL('../bin/sluice.cjs', import.meta.url))

export interface SluiceServer {
  url: string
  token: string
  data: string
  /** From spawn to the ready line. */
  startMs: number
  /** The process that serves; the command is a launcher around it. */
  pid: number
  connect(as?: Pick<ConnectOptions, 'agent' | 'session'>): Promise<Sluice>
  stop(): Promise<void>
}

/** @param data its data folder; what an earlier server left there is served on. */
export async function startSluice(
  stage: Stage,
  data = join(stage.folder, 'sluice'),
): Promise<SluiceServer> {
  mkdirSync(data, { recursive: true })
  const port = await freePort()
  const start = performance.now()
  const args = [SLUICE, 'serve', '--data', data, '--port', String(port)]
  const child = stage.spawn(process.execPath, args)
  await untilReady(child, () => /^sluice ready /m.test(child.output()), START_MS)
  const startMs = performance.now() - start
  const url = `http://127.0.0.1:${port}`
  const token = readFileSync(join(data, 'admin.token'), 'utf8').trim()
  return {
    url,
    token,
    data,
    startMs,
    pid: await servingPid(child),
    async connect(as = {}) {
      const sluice = await connect({ url, token, ...as })
      stage.atEnd(() => sluice.disconnect())
      return sluice
    },
    stop: () => child.stop(),
  }
}

/** A start on a million files must be over by then. */
const START_MS = 120_000

async function servingPid(child: Child): Promise<number> {
  const launcher = child.process.pid!
  try {
    const children = await readFile(`/proc/${launcher}/task/${launcher}/children`, 'utf8')
    return Number(children.trim().split(' ')[0]) || launcher
  } catch {
    return launcher
  }
}
