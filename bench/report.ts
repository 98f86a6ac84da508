/** What a scenario found out, how it is shown, and how it is kept in limits.json and README.md. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { mean } from './measure.ts'

export interface Table {
  title: string
  columns: readonly string[]
  rows: readonly (readonly string[])[]
}

/** One claim: its value in each round, and how far it may move before somebody should look. */
export interface Figure {
  name: string
  unit: string
  values: readonly number[]
  /** Share of the mean that a later run may be worse by. */
  margin: number
  reason: string
  target?: { atLeast: number } | { atMost: number }
}

export interface Report {
  tables: readonly Table[]
  figures: readonly Figure[]
  /** What a reader must know to read the tables right. */
  notes: readonly string[]
  /** What went wrong: a run with faults fails, whatever its speed. */
  faults: readonly string[]
}

export interface Options {
  /** The sanity form: proves that a scenario works, measures nothing worth keeping. */
  quick: boolean
  rounds: number
  /** Length of one timed cell. */
  cellMs: number
}

export function printReport(report: Report): void {
  for (const table of report.tables) console.log(`\n${table.title}\n${asText(table)}`)
  if (report.figures.length > 0) console.log('')
  for (const figure of report.figures) console.log(`${figure.name}: ${describe(figure)}`)
  for (const note of report.notes) console.log(`note: ${note}`)
  for (const fault of report.faults) console.error(`FAULT: ${fault}`)
}

export function describe(figure: Figure): string {
  const value = mean(figure.values)
  const spread =
    figure.values.length > 1
      ? ` (${number(Math.min(...figure.values))}–${number(Math.max(...figure.values))})`
      : ''
  return `${number(value)} ${figure.unit}${spread}${verdict(figure)}`
}

function verdict(figure: Figure): string {
  const { target } = figure
  if (target === undefined) return ''
  const wanted = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`
  return `, target ${wanted}: ${isMet(figure) ? 'met' : 'MISSED'}`
}

export function isMet({ target, values }: Figure): boolean {
  if (target === undefined) return true
  return 'atLeast' in target ? mean(values) >= target.atLeast : mean(values) <= target.atMost
}

/** A number as people read it: 48,210 · 312 · 4.71 · 0.082. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  if (size === 0 || Number.isInteger(value)) return String(value)
  return value.toFixed(size >= 10 ? 1 : size >= 0.1 ? 2 : 3)
}

/** Columns padded to the widest cell; the first is left-aligned, the others right. */
export function asText({ columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, index) =>
        index === 0 ? (cells[0] ?? '').padEnd(width) : (cells[index] ?? '').padStart(width),
      )
      .join('  ')
      .trimEnd()
  return [line(columns), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join(
    '\n',
  )
}

function asMarkdown({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = line(columns.map((_, index) => (index === 0 ? '---' : '---:')))
  return [`**${title}**`, '', line(columns), rule, ...rows.map(line)].join('\n')
}

const LIMITS = new URL('limits.json', import.meta.url)
const README = new URL('README.md', import.meta.url)
/** Whoever records has a checkout, and a checkout has the formatter that the lint asks for. */
const BIOME = new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url)

export interface Run {
  scenario: string
  command: string
  machine: string
}

/** Replaces the scenario's part of limits.json and of README.md with this run. */
export function record(run: Run, report: Report): void {
  const limits = JSON.parse(readFileSync(LIMITS, 'utf8')) as Record<string, unknown>
  limits[run.scenario] = {
    command: run.command,
    machine: run.machine,
    figures: report.figures.map(({ name, unit, values, margin, reason, target }) => ({
      name,
      unit,
      mean: rounded(mean(values)),
      min: rounded(Math.min(...values)),
      max: rounded(Math.max(...values)),
      rounds: values.length,
      margin,
      reason,
      ...(target === undefined ? {} : { target }),
    })),
  }
  writeFileSync(LIMITS, `${JSON.stringify(limits, null, 2)}\n`)
  writeFileSync(README, withSection(readFileSync(README, 'utf8'), run, report))
  const [biome, ...files] = [BIOME, LIMITS, README].map((url) => fileURLToPath(url))
  spawnSync(process.execPath, [biome!, 'format', '--write', ...files], { stdio: 'ignore' })
}

function withSection(text: string, run: Run, report: Report): string {
  const from = `<!-- ${run.scenario} -->`
  const to = `<!-- /${run.scenario} -->`
  const start = text.indexOf(from)
  const end = text.indexOf(to)
  if (start < 0 || end < start) throw new Error(`README.md has no place for ${run.scenario}`)
  const figures: Table = {
    title: 'Figures',
    columns: ['figure', 'mean (min–max)'],
    rows: report.figures.map((figure) => [figure.name, describe(figure)]),
  }
  const parts = [
    `\`${run.command}\` on ${run.machine}`,
    ...report.tables.map(asMarkdown),
    asMarkdown(figures),
    report.notes.map((note) => `- ${note}`).join('\n'),
  ]
  const body = parts.filter((part) => part !== '').join('\n\n')
  return `${text.slice(0, start + from.length)}\n${body}\n${text.slice(end)}`
}

const rounded = (value: number): number => Number(value.toPrecision(4))
