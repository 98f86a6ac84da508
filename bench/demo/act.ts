/** One act of the demo: the same agents on the same files, over one way of reaching them. */
import { percentile, sleep } from '../measure.ts'
import { type Access, type Agent, countLost, makeAgents, NOTES, work } from './agent.ts'
import type { WorkFolder } from './folder.ts'

/** A file that many want, as whoever hands out the locks sees it. */
export interface Demand {
  file: string
  holder: string | undefined
  waiting: string[]
}

export interface Stand {
  title: string
  /** What the people watching should look for. */
  about: string
  hasLocks: boolean
  access(agent: Agent): Promise<Access>
  /** Contents as they are now. */
  read(file: string): Promise<string>
  /** Undefined where nobody knows. */
  demand(): Promise<Demand[] | undefined>
}

export interface Frame {
  title: string
  about: string
  agents: readonly Agent[]
  demand: Demand[] | undefined
  lost: number
  seconds: number
  ofSeconds: number
}

export interface Outcome {
  title: string
  updates: number
  lost: number
  keptPerSecond: number
  stepsPerSecond: number
  waitP50Ms: number
  waitP99Ms: number
  hasLocks: boolean
}

const REFRESH_MS = 200

export async function playAct(
  stand: Stand,
  folder: WorkFolder,
  options: { agents: number; seconds: number },
  show: (frame: Frame) => void,
): Promise<Outcome> {
  const agents = makeAgents(options.agents)
  const frameAt = async (seconds: number): Promise<Frame> => ({
    title: stand.title,
    about: stand.about,
    agents,
    demand: await stand.demand(),
    lost: countLost(agents, await contents(stand, folder)),
    seconds,
    ofSeconds: options.seconds,
  })
  const accesses = await Promise.all(agents.map((agent) => stand.access(agent)))
  const start = performance.now()
  const secondsPassed = (): number => (performance.now() - start) / 1000
  const isOver = (): boolean => secondsPassed() >= options.seconds
  let isWorking = true
  const working = Promise.all(
    agents.map((agent, index) => work(agent, accesses[index]!, folder, isOver)),
  ).finally(() => {
    isWorking = false
  })
  const showing = (async (): Promise<void> => {
    while (isWorking) {
      show(await frameAt(Math.min(secondsPassed(), options.seconds)))
      await sleep(REFRESH_MS)
    }
  })()
  const [seconds] = await Promise.all([working.then(secondsPassed), showing])
  const last = await frameAt(options.seconds)
  show(last)
  return outcomeOf(stand, agents, last.lost, seconds)
}

async function contents(stand: Stand, folder: WorkFolder): Promise<Map<string, string>> {
  const files = [NOTES, ...folder.inDemand]
  const texts = await Promise.all(files.map((file) => stand.read(file).catch(() => '')))
  return new Map(files.map((file, index) => [file, texts[index]!]))
}

function outcomeOf(stand: Stand, agents: readonly Agent[], lost: number, seconds: number): Outcome {
  const waits = agents.flatMap(({ waitsMs }) => waitsMs)
  const sum = (of: (agent: Agent) => number): number =>
    agents.reduce((total, agent) => total + of(agent), 0)
  const updates = sum(({ updates: made }) => made)
  return {
    title: stand.title,
    updates,
    lost,
    keptPerSecond: (updates - lost) / seconds,
    stepsPerSecond: sum(({ steps }) => steps) / seconds,
    waitP50Ms: percentile(waits, 50),
    waitP99Ms: percentile(waits, 99),
    hasLocks: stand.hasLocks,
  }
}
