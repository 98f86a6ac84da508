import { LiveView } from './live-view.ts'
import { type LockTable, printLockTable } from './lock-rows.ts'
import { Screen } from './screen.ts'
import { durationText, timeText } from './text.ts'

/** What becomes of the lock table while somebody looks at it. */
export interface Show {
  /** The newest table, and how long ago it was true. */
  show(table: LockTable, isNew: boolean, ageMs: number): void
  close(): void
}

export function showFor(asJson: boolean, workspace: string): Show {
  if (asJson) return new Documents()
  return process.stdout.isTTY === true ? new Live(`Locks of ${workspace}`) : new Tables()
}

/** One JSON document a line, for each change. */
class Documents implements Show {
  show(table: LockTable, isNew: boolean): void {
    if (isNew) process.stdout.write(`${JSON.stringify(table)}\n`)
  }

  close(): void {}
}

/** One table after the other, each under the time it was true at. */
class Tables implements Show {
  private readonly screen = new Screen()
  private isFirst = true

  show(table: LockTable, isNew: boolean): void {
    if (!isNew) return
    if (!this.isFirst) this.screen.line()
    this.isFirst = false
    this.screen.line(timeText(new Date().toISOString()))
    printLockTable(table, this.screen)
  }

  close(): void {}
}

class Live implements Show {
  private readonly view = new LiveView()
  private readonly title: string
  private last = ''

  constructor(title: string) {
    this.title = title
  }

  show(table: LockTable, _isNew: boolean, ageMs: number): void {
    const parts: string[] = []
    // In the last column of a terminal the cursor stands on what it wrote, and would clear it.
    const screen = new Screen(
      (text) => parts.push(text),
      (process.stdout.columns || USUAL_COLUMNS) - 1,
    )
    const { locks, waiting } = table
    const counts = `${locks.length} held, ${waiting.length} waiting`
    const now = timeText(new Date().toISOString())
    const old = ageMs < OLD_MS ? '' : `, as of ${durationText(ageMs / 1000)} ago: no answer`
    parts.push(screen.styled('bold', `${this.title}: ${counts}  ${now}${old}`), '\n')
    screen.line()
    printLockTable(aged(table, ageMs / 1000), screen)
    this.last = parts.join('')
    this.view.draw(this.last)
  }

  /** What was seen last stays to be read. */
  close(): void {
    this.view.close()
    if (this.last !== '') process.stdout.write(this.last)
  }
}

/** Where a terminal says 0. */
const USUAL_COLUMNS = 80
const OLD_MS = 3000

/** Between two answers the waiting goes on. */
function aged(table: LockTable, seconds: number): LockTable {
  const waiting = table.waiting.map((row) => ({ ...row, waited_s: row.waited_s + seconds }))
  return { ...table, waiting }
}
