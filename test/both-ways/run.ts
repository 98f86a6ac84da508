import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Chance } from '../../sim/chance.ts'
import { check } from './checker.ts'
import type { Checked } from './finding.ts'
import { leftIn } from './folder-view.ts'
import { gather } from './gather.ts'
import { LiveHistory } from './live-history.ts'
import { Log } from './log.ts'
import { stopServer, until } from './server-process.ts'
import { ServerView } from './server-view.ts'
import { makeTree } from './tree.ts'
import { Turns } from './turns.ts'
import { Agent } from './writers/agent.ts'
import { OutsiderProcess } from './writers/outsider-process.ts'
import { Build, EDITORS, Editor, Formatter } from './writers/saving.ts'
import { Shell } from './writers/shell.ts'
import type { Stage, Writer } from './writers/writer.ts'

export interface RunSetUp {
  seed: number
  seconds: number
  agents?: number
  say?: (line: string) => void
}

/** Eight agents, three shells, four editors, a formatter and a build on one tree, and what came of it. */
export async function runBothWays(setUp: RunSetUp): Promise<Checked> {
  const { seed, seconds, agents = 8, say = () => {} } = setUp
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-both-ways-')))
  const root = join(home, 'tree')
  const chance = new Chance(seed)
  makeTree(root, chance.fork('tree'))
  const stage: Stage = { root, log: new Log(), turns: new Turns() }
  const processes = [new OutsiderProcess(root), new OutsiderProcess(root)] as const
  const connected: Agent[] = []
  try {
    await Promise.all(
      Array.from({ length: agents }, async (_, index) => {
        connected.push(await Agent.open(`agent-${index + 1}`, stage, chance))
      }),
    )
    const server = await ServerView.of(root)
    await until(() => server.isScanned(), 'the folder is scanned')
    const history = new LiveHistory(server)
    const [atEditors, atPrograms] = processes
    const writers: Writer[] = [
      ...connected,
      ...[1, 2, 3].map((number) => new Shell(`shell-${number}`, stage, chance, home)),
      ...Object.keys(EDITORS).map((name) => new Editor(name, stage, chance, atEditors)),
      new Formatter('formatter', stage, chance, atPrograms),
      new Build('build', stage, chance, atPrograms),
    ]
    const stop = AbortSignal.timeout(seconds * 1000)
    await Promise.all(writers.map((writer) => writer.run(stop)))
    const stoppedAt = Date.now()
    say(`${stage.log.entries.length} things were done in ${seconds} s`)
    await pause(REST_MS)
    const evidence = await gather(root, stage.log, server, history, stoppedAt + REST_MS)
    say(`${evidence.versions.length} versions`)
    if (IS_KEPT) writeFileSync(join(home, 'log.json'), linesOf(evidence.log))
    if (IS_KEPT) writeFileSync(join(home, 'versions.json'), linesOf(evidence.versions))
    const checked = await check({ ...evidence, left: [] })
    await history.close()
    await close(connected, processes)
    await stopServer(server.pid)
    for (const path of leftIn(root)) {
      checked.findings.push({
        kind: 'left-over',
        path,
        what: 'is left when the server has stopped',
      })
    }
    return checked
  } finally {
    await close(connected, processes)
    if (IS_KEPT) say(`kept: ${home}`)
    else rmSync(home, { recursive: true, force: true })
  }
}

async function close(agents: Agent[], processes: readonly OutsiderProcess[]): Promise<void> {
  await Promise.all(agents.splice(0).map((agent) => agent.close()))
  await Promise.all(processes.map((one) => one.close()))
}

function linesOf(list: readonly unknown[]): string {
  return list.map((one) => `${JSON.stringify(one)}\n`).join('')
}

/** The tree, the log and the versions stay, to be looked into. */
const IS_KEPT = process.env.BOTH_WAYS_KEEP !== undefined
/** Nobody does anything for so long before the end is looked at. */
const REST_MS = 2000
