import type { Difference } from './difference.ts'
import type { Reason } from './reasons/reason.ts'

/** What a run has found: what nobody gave a reason for, and reasons that nothing needed. */
export interface Report {
  unexplained: readonly Difference[]
  /** How many differences each reason explains. */
  explained: ReadonlyMap<string, number>
  stale: readonly string[]
}

export function reportOn(differences: readonly Difference[], reasons: readonly Reason[]): Report {
  const explained = new Map<string, number>()
  const unexplained = differences.filter((difference) => {
    const reason = reasons.find((one) => one.matches(difference))
    if (reason === undefined) return true
    explained.set(reason.id, (explained.get(reason.id) ?? 0) + 1)
    return false
  })
  const stale = reasons.filter(({ id }) => !explained.has(id)).map(({ id }) => id)
  return { unexplained, explained, stale }
}

/** For people: the first of what is unexplained, each cut to where it differs. */
export function reportText({ unexplained, explained, stale }: Report): string {
  const lines = unexplained.slice(0, SHOWN).map(differenceText)
  if (unexplained.length > SHOWN) lines.push(`… ${unexplained.length - SHOWN} more`)
  const counts = [...explained].map(([id, count]) => `${id} ${count}`).join(', ')
  return [
    `${unexplained.length} differences without a reason`,
    ...lines,
    `explained: ${counts || 'none'}`,
    `stale reasons: ${stale.join(', ') || 'none'}`,
  ].join('\n')
}

export function differenceText(difference: Difference): string {
  const { session, call, aspect, at } = difference
  const [official, ours] = around(text(difference.official), text(difference.ours))
  const where = at === '' ? '' : ` ${cut(at, 60)}`
  return [
    `[${session}] ${call.name}, ${call.tool} ${cut(call.title, 50)}: ${aspect}${where}`,
    `    ${cut(text(difference.arguments), 100)}`,
    `    official ${official}`,
    `    ours     ${ours}`,
  ].join('\n')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}

/** Both from a little before where they begin to differ. */
function around(one: string, other: string): [string, string] {
  let same = 0
  while (same < one.length && one[same] === other[same]) same += 1
  const from = Math.max(0, same - BEFORE)
  const part = (whole: string): string =>
    `${from > 0 ? '…' : ''}${cut(JSON.stringify(whole.slice(from, from + SIDE)), SIDE)}`
  return [part(one), part(other)]
}

function cut(whole: string, most: number): string {
  return whole.length > most ? `${whole.slice(0, most - 1)}…` : whole
}

const SHOWN = 40
const BEFORE = 40
const SIDE = 130
