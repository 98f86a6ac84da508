/**
 * ISO 8601 in UTC with milliseconds, from milliseconds since 1970, by arithmetic alone, so that the
 * pure core can print times too. Days to date: Howard Hinnant, "chrono-compatible low-level date
 * algorithms", civil_from_days.
 */
export function isoTime(at: number): string {
  const ms = at >= shownFrom ? at + shownBy : at
  const second = Math.floor(ms / 1000)
  const slot = Math.abs(second % REMEMBERED)
  if (seconds[slot] !== second) {
    prefixes[slot] = secondPrefix(second)
    seconds[slot] = second
  }
  return `${prefixes[slot]}${String(Math.floor(ms - second * 1000)).padStart(3, '0')}Z`
}

let shownBy = 0
let shownFrom = Number.POSITIVE_INFINITY

/**
 * The server measures on a clock that never steps, begun when it started; the machine's own may be set
 * meanwhile. What is decided stays as it is; what is shown follows the machine's.
 * @param byMs what the machine's clock says now, less what the server's does
 * @param from the server's start: times before it were measured on another clock
 */
export function showTimesBy(byMs: number, from: number): void {
  shownBy = byMs
  shownFrom = from
}

/** The inverse of what is shown: milliseconds on the server's clock, from ISO 8601; NaN for no time. */
export function timeShownAs(text: string): number {
  const ms = Date.parse(text)
  return ms - shownBy >= shownFrom ? ms - shownBy : ms
}

// Nearly all times are of this second, or of one that is a usual lease away: their texts are kept.
const REMEMBERED = 64
const seconds: number[] = new Array(REMEMBERED).fill(Number.NaN)
const prefixes: string[] = new Array(REMEMBERED).fill('')

function secondPrefix(second: number): string {
  const day = Math.floor(second / 86_400)
  const rest = second - day * 86_400
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const date = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(date)}T${clock}.`
}
