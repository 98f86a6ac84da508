/**
 * Many agents on few files. Each step takes a lock, reads, and, in some steps, changes what it read
 * and writes it back; then it gives the lock back. Every update leaves a mark that is counted at the
 * end, so a lost update is seen, not estimated.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, mean, median, percentile, sleep, spread } from './measure.ts'
import { acquireLockFile, replaceFile } from './peer/lock-file.ts'
import { type Figure, number, type Options, type Report, type Table } from './report.ts'
import { type SluiceServer, startSluice } from './server.ts'
import { onStage, type Stage } from './stage.ts'

const FILES = 20
const AGENTS = [10, 100]
/**
 * Share of the steps that update (the others only read), and how long an agent works on what it read
 * while it holds the lock: not at all, which is a race of machines, or a little, as agents do.
 */
const MIXES = [
  { updateShare: 0.2, workMs: 0 },
  { updateShare: 1, workMs: 0 },
  { updateShare: 0.2, workMs: 10 },
]

type Release = () => Promise<unknown>

/** How one agent gets at the shared files. */
interface Access {
  /** Resolves with the release when the agent may go on. */
  lock(file: string, isUpdate: boolean): Promise<Release>
  read(file: string): Promise<string>
  write(file: string, text: string): Promise<unknown>
  leave(): Promise<unknown>
}

interface Side {
  name: string
  facts: string
  mayLose: boolean
  /** Makes the files in a folder of their own and lets that many agents at them. */
  open(folder: string, agents: number): Promise<Access[]>
}

interface Cell {
  side: Side
  agents: number
  updateShare: number
  workMs: number
}

interface Outcome {
  perSecond: number
  updates: number
  lost: number
  waitP50Ms: number
  waitP99Ms: number
}

export function runSwarm(options: Options): Promise<Report> {
  return onStage('swarm', async (stage) => {
    const server = await startSluice(stage)
    const agentCounts = options.quick ? [10] : AGENTS
    await makeAgents(server, Math.max(...agentCounts))
    const sides = [...fileSides(stage), sluiceSide(server)]
    const cells = MIXES.flatMap((mix) =>
      agentCounts.flatMap((agents) => sides.map((side) => ({ side, agents, ...mix }))),
    )
    const outcomes = await interleave(options.rounds, cells, (cell, round) =>
      play(cell, `cell-${cells.indexOf(cell)}-${round}`, options.cellMs),
    )
    return reportOf(sides, outcomes)
  })
}

async function play(cell: Cell, folder: string, durationMs: number): Promise<Outcome> {
  const agents = await cell.side.open(folder, cell.agents)
  const files = Array.from({ length: FILES }, (_, file) => fileName(file))
  const waits: number[] = []
  let updates = 0
  const start = performance.now()
  const end = start + durationMs
  const run = async (access: Access, index: number): Promise<void> => {
    const random = randomFrom(index + 1)
    while (performance.now() < end) {
      const file = files[Math.floor(random() * FILES)]!
      const isUpdate = random() < cell.updateShare
      const asked = performance.now()
      const release = await access.lock(file, isUpdate)
      waits.push(performance.now() - asked)
      const text = await access.read(file)
      if (cell.workMs > 0) await sleep(cell.workMs)
      if (isUpdate) await access.write(file, marked(text, index))
      await release()
      if (isUpdate) updates += 1
    }
  }
  await Promise.all(agents.map(run))
  const seconds = (performance.now() - start) / 1000
  const texts = await Promise.all(files.map((file) => agents[0]!.read(file)))
  await Promise.all(agents.map((access) => access.leave()))
  return {
    perSecond: waits.length / seconds,
    updates,
    lost: updates - texts.reduce((sum, text) => sum + marksIn(text), 0),
    waitP50Ms: percentile(waits, 50),
    waitP99Ms: percentile(waits, 99),
  }
}

const fileName = (file: number): string => `shared-${file}.txt`

/** The text with one more mark of this agent: a line with its name and a count. */
function marked(text: string, agent: number): string {
  const name = `agent-${agent} `
  const lines = text.split('\n')
  const own = lines.findIndex((line) => line.startsWith(name))
  if (own < 0) return `${text}${name}1\n`
  lines[own] = `${name}${Number(lines[own]!.slice(name.length)) + 1}`
  return lines.join('\n')
}

function marksIn(text: string): number {
  return text.split('\n').reduce((sum, line) => sum + Number(line.split(' ')[1] ?? 0), 0)
}

/** The same choices in every cell (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function fileSides(stage: Stage): Side[] {
  const side = (name: string, lockOf: (path: string) => Access['lock'], facts: string): Side => ({
    name,
    facts: `${name}: ${facts}`,
    mayLose: name === PLAIN,
    async open(folder, agents) {
      const root = join(stage.folder, name.replaceAll(' ', '-'), folder)
      await mkdir(root, { recursive: true })
      const pathOf = (file: string): string => join(root, file)
      for (let file = 0; file < FILES; file += 1) await replaceFile(pathOf(fileName(file)), '')
      const access: Access = {
        lock: lockOf(root),
        read: (file) => readFile(pathOf(file), 'utf8'),
        write: (file, text) => replaceFile(pathOf(file), text),
        leave: async () => {},
      }
      return Array.from({ length: agents }, () => access)
    },
  })
  const none: Release = async () => {}
  const polled = 'made with O_EXCL, polled with back-off 5 → 100 ms and jitter'
  const durable = 'files are replaced by write, fdatasync, rename'
  return [
    side(PLAIN, () => async () => none, `no lock; ${durable}`),
    side(
      FOLDER_LOCK,
      (root) => () => acquireLockFile(join(root, '.lock')),
      `one lock file for the folder, ${polled}; ${durable}`,
    ),
    side(
      'lock file per file',
      (root) => (file) => acquireLockFile(join(root, `${file}.lock`)),
      `${polled}; ${durable}`,
    ),
  ]
}

const PLAIN = 'plain files'
const FOLDER_LOCK = 'folder lock file'
const SLUICE = 'Sluice'

async function makeAgents(server: SluiceServer, count: number): Promise<void> {
  const admin = await server.connect()
  for (let agent = 0; agent < count; agent += 1) {
    await admin.call('put_agent', { name: `agent-${agent}` })
  }
  await admin.close()
}

function sluiceSide(server: SluiceServer): Side {
  return {
    name: SLUICE,
    facts: `${SLUICE}: a write lock to update, a read lock to read, through the SDK; one socket and one session an agent; durable locks and writes`,
    mayLose: false,
    async open(folder, agents) {
      const sessions = await Promise.all(
        Array.from({ length: agents }, (_, agent) => server.connect({ agent: `agent-${agent}` })),
      )
      const first = sessions[0]!.workspace('main')
      for (let file = 0; file < FILES; file += 1) {
        await first.write(`/${folder}/${fileName(file)}`, '')
      }
      return sessions.map((sluice) => {
        const workspace = sluice.workspace('main')
        const pathOf = (file: string): string => `/${folder}/${file}`
        return {
          async lock(file, isUpdate) {
            const level = isUpdate ? 'write' : 'read'
            const lock = await workspace.lock(pathOf(file), { level, wait: LONGEST_WAIT_S })
            return () => lock.release()
          },
          read: async (file) => (await workspace.read(pathOf(file))).text(),
          write: (file, text) => workspace.write(pathOf(file), text),
          leave: () => sluice.close(),
        }
      })
    },
  }
}

/** Longer than any wait here; whoever waits that long has been forgotten. */
const LONGEST_WAIT_S = 120

function reportOf(sides: Side[], outcomes: Map<Cell, Outcome[]>): Report {
  const groups = new Map<string, [Cell, Outcome[]][]>()
  for (const entry of outcomes) {
    const { agents, updateShare, workMs } = entry[0]
    const mix = `${updateShare * 100} % updates, ${workMs} ms of work under the lock`
    const title = `${agents} agents, ${FILES} files, ${mix}`
    groups.set(title, [...(groups.get(title) ?? []), entry])
  }
  const faults = [...outcomes]
    .filter(([{ side }, rounds]) => !side.mayLose && rounds.some(({ lost }) => lost !== 0))
    .map(([{ side, agents }]) => `${side.name} lost updates with ${agents} agents`)
  const notes = sides.map(({ facts }) => facts)
  notes.push(
    'All agents run in the one driver process and do nothing between steps. Without work under the lock, a folder lock file flatters itself: who gives it back takes it again before the sleepers look, which is why its median wait is short and its p99 is not.',
  )
  return {
    tables: [...groups].map(([title, cells]) => tableOf(title, cells)),
    figures: [...groups].flatMap(([title, cells]) => figuresOf(title, cells)),
    notes,
    faults,
  }
}

function tableOf(title: string, cells: [Cell, Outcome[]][]): Table {
  const folderLock = cells.find(([{ side }]) => side.name === FOLDER_LOCK)!
  const base = median(folderLock[1].map(({ perSecond }) => perSecond))
  return {
    title,
    columns: ['', 'steps/s', 'min–max', 'updates', 'lost', 'wait p50 ms', 'p99 ms', 'over folder'],
    rows: cells.map(([{ side }, rounds]) => {
      const { median: rate, min, max } = spread(rounds.map(({ perSecond }) => perSecond))
      return [
        side.name,
        number(rate),
        `${number(min)}–${number(max)}`,
        number(rounds.reduce((sum, { updates }) => sum + updates, 0)),
        number(rounds.reduce((sum, { lost }) => sum + lost, 0)),
        number(median(rounds.map(({ waitP50Ms }) => waitP50Ms))),
        number(median(rounds.map(({ waitP99Ms }) => waitP99Ms))),
        `${number(rate / base)} ×`,
      ]
    }),
  }
}

function figuresOf(title: string, cells: [Cell, Outcome[]][]): Figure[] {
  const of = (name: string): Outcome[] => cells.find(([{ side }]) => side.name === name)![1]
  const folderLock = of(FOLDER_LOCK)
  const hasTarget = cells[0]![0].agents === Math.max(...AGENTS)
  return [
    {
      name: `Sluice / folder lock file, ${title}`,
      unit: '×',
      values: of(SLUICE).map(({ perSecond }, round) => perSecond / folderLock[round]!.perSecond),
      margin: 0.4,
      reason: 'the lock file side swings with who wakes when',
      ...(hasTarget ? { target: { atLeast: 10 } } : {}),
    },
    {
      name: `Sluice, updates lost, ${title}`,
      unit: 'updates',
      values: [mean(of(SLUICE).map(({ lost }) => lost))],
      margin: 0,
      reason: 'a lost update is a bug',
      target: { atMost: 0 },
    },
  ]
}
