/**
 * How rules are cited: `locks §8`, `locks §1, §37–41`, `files §5, 9`, `I13, I14`, in names of tests also
 * cases (`A4+`) and whole pages (`contract: …`). A range stands for each rule in it.
 */
export type RuleId = string

/** The rules that the name of a test begins with: a list up to the first colon or bracket. */
export function rulesIn(name: string, parts: readonly string[]): RuleId[] {
  const list = new List(name, 0, parts)
  let found: RuleId[] = []
  do {
    const next = list.inName()
    if (next === undefined) return []
    found = found.concat(next)
  } while (list.goesOn())
  return /^(?:: | \()/.test(name.slice(list.at)) ? found : []
}

/**
 * All rules that a text cites.
 * @param usual what a bare `§29` is of
 */
export function citedIn(text: string, parts: readonly string[], usual: string): RuleId[] {
  const found: RuleId[] = []
  const mark = /§|\bI\d/g
  for (let hit = mark.exec(text); hit !== null; hit = mark.exec(text)) {
    const before = text.slice(Math.max(0, hit.index - 40), hit.index)
    // Of another document, until a page is named again.
    const isForeign = /\bRFC \d+[\s*]+$/.test(before)
    const part = isForeign ? '' : partBefore(before, parts, usual)
    const list = new List(text, hit.index, parts, part)
    do found.push(...(list.inProse() ?? []).filter((id) => !id.startsWith(' ')))
    while (list.goesOn())
    mark.lastIndex = Math.max(list.at, hit.index + 1)
  }
  return found
}

/** Numbered points of decisions that a text cites: `0008 no. 6–8, 12` is four of 0008. */
export function pointsIn(text: string): { decision: string; point: number }[] {
  return [
    ...text.matchAll(/\b(\d{4}) no\. (\d+(?:[–-]\d+)?(?:(?:, | and )\d+(?:[–-]\d+)?)*)/g),
  ].flatMap(([, decision = '', numbers = '']) =>
    numbers
      .split(/, | and /)
      .flatMap((one) => expanded(one.split(/[–-]/)))
      .map((point) => ({ decision, point: Number(point) })),
  )
}

/** Words that may stand before a bare number. A name there is taken for the name of a page. */
const PLAIN = /^(?:a|also|and|as|but|by|for|from|has|in|is|of|or|see|that|the|to|under|with)$/i

function partBefore(before: string, parts: readonly string[], usual: string): string {
  const word = /([A-Za-z][\w.-]*)[ \n]$/.exec(before)?.[1]
  if (word === undefined || PLAIN.test(word)) return usual
  return parts.includes(word) ? word : word.toLowerCase()
}

const NUMBER = '[A-Z]?\\d+'
const RANGE = `(${NUMBER})(?:[–-]§?(${NUMBER}))?(?!\\d)`

/** Reads a list of citations from one place in a text on. */
class List {
  at: number
  private readonly text: string
  private readonly parts: readonly string[]
  private part: string | undefined
  private isNumbered = false

  constructor(text: string, at: number, parts: readonly string[], part?: string) {
    this.text = text
    this.at = at
    this.parts = parts
    this.part = part
  }

  /** The next one, where nothing else is in the list. */
  inName(): RuleId[] | undefined {
    return this.numbered() ?? this.invariant() ?? this.cases() ?? this.more() ?? this.page()
  }

  inProse(): RuleId[] | undefined {
    return this.numbered() ?? this.invariant()
  }

  /** Whether another one follows, and goes there. */
  goesOn(): boolean {
    const from = this.at
    if (this.take(/(?:, and |, | and )/) === undefined) return false
    const { at, part, isNumbered } = this
    const isThere = this.inName() !== undefined
    Object.assign(this, { at: isThere ? at : from, part, isNumbered })
    return isThere
  }

  private numbered(): RuleId[] | undefined {
    const named = this.parts.join('|')
    const match = this.take(new RegExp(`(?:(${named}) )?§${RANGE}`))
    if (match === undefined) return undefined
    const [, part = this.part, first = '', last = first] = match
    if (part === undefined) return undefined
    this.part = part
    this.isNumbered = true
    return expanded([first, last]).map((number) => `${part} §${number}`)
  }

  /** `§5, 9`: a number goes on with the page of the one before. */
  private more(): RuleId[] | undefined {
    const match = this.isNumbered
      ? this.take(new RegExp(`${RANGE}(?=[,:)]| \\(| and |$)`))
      : undefined
    if (match === undefined) return undefined
    const [, first = '', last = first] = match
    return expanded([first, last]).map((number) => `${this.part} §${number}`)
  }

  private invariant(): RuleId[] | undefined {
    const match = this.take(/I(\d+)(?:[–-]I?(\d+))?(?![\d\w])/)
    if (match === undefined) return undefined
    this.isNumbered = false
    const [, first = '', last = first] = match
    return expanded([first, last]).map((number) => `I${number}`)
  }

  private cases(): RuleId[] | undefined {
    const match = this.take(/([A-H]\d+)(?:[–-]([A-H]?\d+))?\+?(?![\d\w])/)
    if (match === undefined) return undefined
    this.isNumbered = false
    const [, first = '', last = first] = match
    return expanded([first, last])
  }

  private page(): RuleId[] | undefined {
    const match = this.take(new RegExp(`(${this.parts.join('|')})(?=[,:]| \\()`))
    return match === undefined ? undefined : [match[1] as string]
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern, 'y')
    sticky.lastIndex = this.at
    const match = sticky.exec(this.text)
    if (match === null) return undefined
    this.at = sticky.lastIndex
    return match
  }
}

/** `['3', '5']` is 3, 4, 5; `['A1', '3']` is A1, A2, A3. A range that goes nowhere is its two ends. */
function expanded([first = '', last = first]: readonly string[]): string[] {
  const letter = /^[A-Z]?/.exec(first)?.[0] ?? ''
  const [from, to] = [first, last].map((one) => Number(one.replace(/^[A-Z]/, ''))) as [
    number,
    number,
  ]
  if (to < from || !(last.startsWith(letter) || /^\d/.test(last))) return [first, last]
  return Array.from({ length: to - from + 1 }, (_, index) => `${letter}${from + index}`)
}
