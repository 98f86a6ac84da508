import { styleText } from 'node:util'
import { cut, displayWidth, printable } from './text.ts'

export interface Column<Row> {
  title: string
  cell(row: Row): string
  align?: 'right'
  /** Gives way when the terminal is too narrow; the last such column gives way first. */
  shrinks?: boolean
  /** Is left out by who prints a table where no row has anything to say in it. */
  hides?: boolean
}

type Style = Parameters<typeof styleText>[0]

/** What a command prints on stdout, for people or for programs. */
export class Screen {
  readonly isTerminal = process.stdout.isTTY === true
  private readonly write: (text: string) => void
  private readonly width: number

  /** @param write where else the text goes, to be drawn later, and how wide a table may be there. */
  constructor(
    write: (text: string) => void = (text) => process.stdout.write(text),
    width = process.stdout.columns,
  ) {
    this.write = write
    this.width = width
  }

  json(value: unknown): void {
    this.write(`${JSON.stringify(value, undefined, this.isTerminal ? 2 : 0)}\n`)
  }

  line(text = ''): void {
    this.write(`${printable(text)}\n`)
  }

  /** A line after a sign that is styled already. */
  marked(sign: string, text: string): void {
    this.write(`${sign} ${printable(text)}\n`)
  }

  /** Coloured on a terminal, unless NO_COLOR says otherwise. */
  styled(style: Style, text: string): string {
    return styleText(style, text, { stream: process.stdout })
  }

  /** Names and values below each other. */
  facts(facts: readonly (readonly [string, string])[]): void {
    const width = Math.max(...facts.map(([name]) => name.length))
    for (const [name, value] of facts) {
      const label = this.styled('dim', name.padEnd(width))
      this.write(`${label}  ${printable(value)}\n`)
    }
  }

  /** One line a row, however narrow the terminal; a pipe gets everything. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))))
    const titles = columns.map(({ title }) => title)
    const widths = columns.map((_, index) =>
      Math.max(...[titles, ...cells].map((line) => displayWidth(line[index] as string))),
    )
    if (this.isTerminal) shrink(columns, widths, this.width)
    const writeRow = (line: readonly string[], style?: Style): void => {
      const text = line
        .map((cell, index) => aligned(cell, widths[index] as number, columns[index]?.align))
        .join(GAP)
        .trimEnd()
      this.write(`${style === undefined ? text : this.styled(style, text)}\n`)
    }
    writeRow(titles, 'dim')
    for (const line of cells) writeRow(line)
  }
}

/** Columns that would be empty are left out: a terminal is narrow. */
export function used<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Column<Row>[] {
  return columns.filter(({ hides, cell }) => hides !== true || rows.some((row) => cell(row) !== ''))
}

const GAP = '  '
const LEAST_WIDTH = 8

function shrink<Row>(columns: readonly Column<Row>[], widths: number[], most: number): void {
  let over = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - most
  for (let index = columns.length - 1; index >= 0 && over > 0; index--) {
    if (columns[index]?.shrinks !== true) continue
    const width = widths[index] as number
    const by = Math.min(over, Math.max(0, width - LEAST_WIDTH))
    widths[index] = width - by
    over -= by
  }
}

function aligned(text: string, width: number, align: 'right' | undefined): string {
  const fitting = cut(text, width)
  const space = ' '.repeat(Math.max(0, width - displayWidth(fitting)))
  return align === 'right' ? space + fitting : fitting + space
}
