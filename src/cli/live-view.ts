/**
 * A text that is drawn anew in place, on a terminal. It has the alternate screen to itself, so nothing
 * that was printed before is lost; each frame is one write that overwrites the one before and clears
 * only what is left of it, so nothing flickers. `close` gives the terminal back as it was.
 */
export class LiveView {
  private readonly terminal: Terminal
  private isOpen = false
  /** For when the process ends by an error that nobody catches. */
  private readonly onExit = (): void => this.close()

  constructor(terminal: Terminal = process.stdout) {
    this.terminal = terminal
  }

  draw(text: string): void {
    const opening = this.isOpen ? '' : ENTER
    if (!this.isOpen) process.on('exit', this.onExit)
    this.isOpen = true
    const lines = fitting(text.trimEnd().split('\n'), this.terminal.rows || USUAL_ROWS)
    const body = lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}`).join('\r\n')
    this.terminal.write(`${opening}${BEGIN_FRAME}${HOME}${body}${CLEAR_BELOW}${END_FRAME}`)
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    process.off('exit', this.onExit)
    this.terminal.write(LEAVE)
  }
}

/** As much of a terminal as drawing on it takes. */
export interface Terminal {
  write(text: string): unknown
  rows?: number
}

/** Where a terminal does not say, or says 0. */
const USUAL_ROWS = 24

/** What does not fit is counted; a line too many would scroll the first one away. */
function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines
  const shown = lines.slice(0, Math.max(0, rows - 1))
  return [...shown, `… ${lines.length - shown.length} more lines`]
}

// The alternate screen, no cursor, and no wrapping: a line that is too long is cut, not broken.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
// Terminals that know it show a frame when it is whole; others pass over it.
const BEGIN_FRAME = '\u001b[?2026h'
const END_FRAME = '\u001b[?2026l'
const HOME = '\u001b[H'
const CLEAR_TO_END_OF_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'
