/** A scripted agent: reads, edits and appends like one that thinks, and remembers what it was told. */
import { sleep } from '../measure.ts'
import type { WorkFolder } from './folder.ts'

export type Doing =
  | 'starting'
  | 'reading'
  | 'waiting'
  | 'editing'
  | 'appending'
  | 'thinking'
  | 'done'

/** How an agent reaches the files. Both acts of the demo use one script over this. */
export interface Access {
  read(file: string): Promise<string>
  write(file: string, text: string): Promise<unknown>
  append(file: string, line: string): Promise<unknown>
  /** Resolves with the release once nobody else may change the file. */
  lock(file: string): Promise<() => Promise<unknown>>
}

export interface Agent {
  name: string
  doing: Doing
  file: string
  steps: number
  updates: number
  /** How long each lock took to come. */
  waitsMs: number[]
  /** Marks of every update that was answered with success, by file. */
  marks: Map<string, string[]>
}

/** Milliseconds. An agent of flesh, or of weights, takes longer; the proportions are the same. */
const THINK_MS = { least: 20, most: 90 }
const NAMES =
  'ada alan anita barbara bertrand shafi dana donald edsger emmy frances grace hedy ivan jean joan john katherine leslie margaret niklaus radia sophie tony'.split(
    ' ',
  )

export const NOTES = 'NOTES.md'

export function makeAgents(count: number): Agent[] {
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[index % NAMES.length]!
    return {
      name: index < NAMES.length ? name : `${name}-${Math.floor(index / NAMES.length) + 1}`,
      doing: 'starting',
      file: '',
      steps: 0,
      updates: 0,
      waitsMs: [],
      marks: new Map(),
    }
  })
}

/** Works until the time is up, and finishes the step it is in. */
export async function work(
  agent: Agent,
  access: Access,
  folder: WorkFolder,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const dice = Math.random()
    if (dice < 0.3) await browse(agent, access, pick(folder.files))
    else if (dice < 0.45) await note(agent, access)
    else await edit(agent, access, pick(folder.inDemand))
    agent.steps += 1
  }
  agent.doing = 'done'
  agent.file = ''
}

async function browse(agent: Agent, access: Access, file: string): Promise<void> {
  begin(agent, 'reading', file)
  await access.read(file)
  await think()
}

async function edit(agent: Agent, access: Access, file: string): Promise<void> {
  begin(agent, 'waiting', file)
  const asked = performance.now()
  const release = await access.lock(file)
  agent.waitsMs.push(performance.now() - asked)
  begin(agent, 'editing', file)
  const text = await access.read(file)
  await think()
  const mark = nextMark(agent)
  await access.write(file, withMark(text, mark))
  remember(agent, file, mark)
  await release()
}

async function note(agent: Agent, access: Access): Promise<void> {
  begin(agent, 'appending', NOTES)
  const mark = nextMark(agent)
  await access.append(NOTES, `- ${mark}\n`)
  remember(agent, NOTES, mark)
  await think()
}

function begin(agent: Agent, doing: Doing, file: string): void {
  agent.doing = doing
  agent.file = file
}

const nextMark = ({ name, updates }: Agent): string => `[${name} ${updates + 1}]`

function remember(agent: Agent, file: string, mark: string): void {
  agent.updates += 1
  const marks = agent.marks.get(file)
  if (marks === undefined) agent.marks.set(file, [mark])
  else marks.push(mark)
}

/** Puts the mark into the middle of the text, where an editor would be, not at its end. */
function withMark(text: string, mark: string): string {
  const middle = text.indexOf('\n', Math.floor(text.length / 2))
  const at = middle < 0 ? text.length : middle
  return `${text.slice(0, at)}\n${mark}${text.slice(at)}`
}

/** How many of the agents' successful updates are in none of the files any more. */
export function countLost(agents: readonly Agent[], texts: ReadonlyMap<string, string>): number {
  let lost = 0
  for (const { marks } of agents) {
    for (const [file, made] of marks) {
      const text = texts.get(file) ?? ''
      for (const mark of made) if (!text.includes(mark)) lost += 1
    }
  }
  return lost
}

const think = (): Promise<void> =>
  sleep(THINK_MS.least + Math.random() * (THINK_MS.most - THINK_MS.least))

const pick = (files: readonly string[]): string => files[Math.floor(Math.random() * files.length)]!
