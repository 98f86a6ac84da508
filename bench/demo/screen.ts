/** What people see: a picture refreshed in place on a terminal, plain lines anywhere else. */
import type { WriteStream } from 'node:tty'
import { number } from '../report.ts'
import type { Demand, Frame, Outcome } from './act.ts'
import type { Agent, Doing } from './agent.ts'

/** Colours are SGR codes; the empty paint is for terminals and people that want none. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const

type Colour = keyof typeof CODES

export interface Screen {
  show(frame: Frame): void
  say(line: string): void
  verdict(outcomes: readonly Outcome[]): void
  close(): void
}

export function openScreen(out: WriteStream): Screen {
  const isLive = out.isTTY === true
  const isColoured = isLive && process.env.NO_COLOR === undefined
  const paint = (colour: Colour, text: string): string =>
    isColoured ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text
  return isLive ? liveScreen(out, paint) : plainScreen(out, paint)
}

type Paint = (colour: Colour, text: string) => string

function plainScreen(out: WriteStream, paint: Paint): Screen {
  let title = ''
  let nextAt = 0
  return {
    show(frame) {
      if (frame.title !== title) nextAt = 0
      title = frame.title
      if (frame.seconds < nextAt) return
      nextAt = frame.seconds + 2
      const { steps, updates, waiting } = totals(frame)
      out.write(
        `${title} ${frame.seconds.toFixed(0).padStart(2)} s: ${steps} steps, ${updates} updates, ${frame.lost} lost, ${waiting} waiting\n`,
      )
    },
    say: (line) => out.write(`${line}\n`),
    verdict: (outcomes) => out.write(`${verdictLines(outcomes, paint).join('\n')}\n`),
    close() {},
  }
}

function liveScreen(out: WriteStream, paint: Paint): Screen {
  let drawn = 0
  let title = ''
  out.write(HIDE_CURSOR)
  return {
    show(frame) {
      // The last picture of an act stays; the next act is drawn below it.
      if (frame.title !== title) drawn = 0
      title = frame.title
      const rows = out.rows > 0 ? out.rows : 40
      const lines = picture(frame, out.columns > 0 ? out.columns : 100, paint).slice(0, rows - 1)
      const up = drawn === 0 ? '' : `\x1b[${drawn}F`
      out.write(up + lines.map((line) => `${line}${CLEAR_LINE}\n`).join('') + CLEAR_BELOW)
      drawn = lines.length
    },
    say(line) {
      out.write(`${line}\n`)
      drawn = 0
    },
    verdict: (outcomes) => out.write(`${verdictLines(outcomes, paint).join('\n')}\n`),
    close: () => out.write(SHOW_CURSOR),
  }
}

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

function picture(frame: Frame, width: number, paint: Paint): string[] {
  const { steps, updates, waiting } = totals(frame)
  const barWidth = 24
  const full = Math.round((frame.seconds / frame.ofSeconds) * barWidth)
  const bar = '█'.repeat(full) + paint('dim', '░'.repeat(barWidth - full))
  const perSecond = frame.seconds > 0 ? steps / frame.seconds : 0
  const lost = frame.lost === 0 ? paint('green', '0 lost') : paint('red', `${frame.lost} lost`)
  return [
    '',
    `${paint('bold', frame.title)}  ${bar}  ${frame.seconds.toFixed(0)} of ${frame.ofSeconds} s`,
    paint('dim', cut(frame.about, width)),
    // Above the rest, where a small terminal does not cut it off.
    `${number(perSecond)} steps/s   ${updates} updates   ${paint('bold', lost)}   ${waiting} waiting`,
    '',
    ...agentLines(frame, width, paint),
    '',
    ...demandLines(frame.demand, width, paint),
  ]
}

const SIGNS: Record<Doing, { sign: string; colour: Colour }> = {
  starting: { sign: '·', colour: 'dim' },
  reading: { sign: '○', colour: 'dim' },
  waiting: { sign: '…', colour: 'yellow' },
  editing: { sign: '✎', colour: 'cyan' },
  appending: { sign: '+', colour: 'blue' },
  thinking: { sign: '·', colour: 'dim' },
  done: { sign: '✓', colour: 'green' },
}

/** Two agents a line where there is room. */
function agentLines({ agents }: Frame, width: number, paint: Paint): string[] {
  const across = width >= 96 ? 2 : 1
  const cellWidth = Math.floor(width / across) - 2
  const cells = agents.map((agent) => agentCell(agent, cellWidth, paint))
  const down = Math.ceil(cells.length / across)
  return Array.from({ length: down }, (_, row) =>
    Array.from({ length: across }, (_, column) => cells[column * down + row] ?? '').join('  '),
  )
}

function agentCell(agent: Agent, width: number, paint: Paint): string {
  const { sign, colour } = SIGNS[agent.doing]
  const left = `${sign} ${agent.name.padEnd(10)} ${agent.doing.padEnd(9)} `
  const right = String(agent.steps).padStart(5)
  const room = Math.max(0, width - left.length - right.length)
  return paint(colour, left) + tail(agent.file, room).padEnd(room) + right
}

function demandLines(demand: Demand[] | undefined, width: number, paint: Paint): string[] {
  if (demand === undefined) {
    return [paint('dim', 'in demand: nobody knows who works on what, or who overwrites whom')]
  }
  const fileWidth = Math.min(44, Math.max(16, width - 50))
  const heading = `${'in demand'.padEnd(fileWidth)}  ${'held by'.padEnd(10)}  queue`
  const rows = demand.map(({ file, holder, waiting }) => {
    const queue = '▪'.repeat(waiting.length)
    const who = waiting.slice(0, 3).join(', ')
    const line = `${tail(file, fileWidth).padEnd(fileWidth)}  `
    const holds = (holder ?? '–').padEnd(10)
    return `${line}${paint('cyan', holds)}  ${paint('yellow', queue)} ${paint('dim', who)}`
  })
  return [paint('dim', heading), ...rows]
}

function totals({ agents }: Frame): { steps: number; updates: number; waiting: number } {
  let [steps, updates, waiting] = [0, 0, 0]
  for (const agent of agents) {
    steps += agent.steps
    updates += agent.updates
    if (agent.doing === 'waiting') waiting += 1
  }
  return { steps, updates, waiting }
}

function verdictLines(outcomes: readonly Outcome[], paint: Paint): string[] {
  const row = (name: string, cell: (outcome: Outcome) => string): string =>
    name.padEnd(24) + outcomes.map((outcome) => cell(outcome).padStart(16)).join('')
  const lost = ({ lost, updates }: Outcome): string =>
    lost === 0 ? '0' : `${lost} (${Math.round((lost / updates) * 100)} %)`
  const waits = (outcome: Outcome, ms: number): string =>
    !outcome.hasLocks ? 'no locks' : `${number(ms)} ms`
  const [plain, sluice] = outcomes
  return [
    '',
    paint(
      'bold',
      row('', ({ title }) => title),
    ),
    row('updates answered "ok"', ({ updates }) => String(updates)),
    paint('bold', row('updates lost', lost)),
    row('updates kept a second', ({ keptPerSecond }) => number(keptPerSecond)),
    row('steps a second', ({ stepsPerSecond }) => number(stepsPerSecond)),
    row('wait for a lock, p50', (outcome) => waits(outcome, outcome.waitP50Ms)),
    row('wait for a lock, p99', (outcome) => waits(outcome, outcome.waitP99Ms)),
    '',
    plain !== undefined && plain.lost > 0
      ? `${plain.lost} of ${plain.updates} updates were overwritten by another agent, and none of them was told.`
      : '',
    sluice?.lost === 0
      ? paint('green', `Through Sluice, all ${sluice.updates} are there.`)
      : paint('red', `Through Sluice, ${sluice?.lost} of ${sluice?.updates} are missing: a bug.`),
    '',
  ]
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`

const tail = (text: string, width: number): string =>
  text.length <= width ? text : width < 2 ? '' : `…${text.slice(text.length - width + 1)}`
