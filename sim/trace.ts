import type { Event } from '../src/contract/events.ts'
import type { Operation } from './history.ts'
import type { Run } from './simulate.ts'

interface Line {
  step: number
  at: number
  who: string
  what: string
}

/** The end of a run, as people read it: when, who, what, and what was answered. */
export function traceOf(run: Run, lines: number): string {
  const { operations, incidents } = run.history
  const all: Line[] = [...incidents]
  for (const one of operations) {
    const who = one.session
    const asked = `${one.name} ${short(one.input)}${contentOf(one)}`
    all.push({ step: one.invoked, at: one.invokedAt, who, what: `→ ${asked}` })
    if (one.returned > 0) {
      const what = `← ${one.name} ${answerOf(one)}`
      all.push({ step: one.returned, at: one.returnedAt, who, what })
    }
  }
  all.sort((a, b) => a.step - b.step)
  const stream = run.stored.slice(-lines).map(factOf)
  const shown = all.slice(-lines).map(({ step, at, who, what }) => {
    return `${String(step).padStart(7)} ${(at / 1000).toFixed(3).padStart(9)}  ${who.padEnd(8)} ${what}`
  })
  return ['stream:', ...stream, '', '   step         s  who      what', ...shown].join('\n')
}

function contentOf({ content, name }: Operation): string {
  if (content === undefined || name === 'read_file') return ''
  return ` "${Buffer.from(content).toString().slice(0, 40)}"`
}

function answerOf(one: Operation): string {
  if (one.outcome === 'refused') return `${one.problem?.code}: ${one.problem?.detail}`
  if (one.outcome === 'unknown') return 'nobody knows'
  return `${short(one.value)} at ${one.revision}`
}

function factOf(event: Event): string {
  const { revision, kind, at, session, ...data } = event
  const seconds = ((at - 1_800_000_000_000) / 1000).toFixed(3)
  return `${String(revision).padStart(7)} ${seconds.padStart(9)}  ${session.padEnd(8)} ${kind} ${short(data)}`
}

function short(value: unknown): string {
  const text = JSON.stringify(value, (key, part: unknown) => (HIDDEN.has(key) ? undefined : part))
  return text.length > 260 ? `${text.slice(0, 260)}…` : text
}

/** Said on every line, and seldom what one looks for. */
const HIDDEN: ReadonlySet<string> = new Set(['workspace', 'agent', 'server_time', 'sha256', 'size'])
