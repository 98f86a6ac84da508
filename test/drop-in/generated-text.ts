import type { Random } from '../chaos/random.ts'

export interface GeneratedEdit {
  oldText: string
  newText: string
}

const WORDS = ['one', 'two', 'three', 'ünï', '漢字', '\u{1f600}', '$&', '```', 'end', 'x', '{', '}']

/** A text of a few lines, with line ends of either kind, indentation, or nothing in it at all. */
export function newText(random: Random): string {
  const end = random.chance(0.2) ? '\r\n' : '\n'
  const lines = Array.from({ length: random.int(12) }, () => lineOf(random))
  return lines.join(end) + (random.chance(0.7) && lines.length > 0 ? end : '')
}

function lineOf(random: Random): string {
  const words = Array.from({ length: random.int(4) + 1 }, () => random.pick(WORDS))
  return random.pick(['', '', '  ', '    ', '\t']) + words.join(' ')
}

/** Mostly of what stands there: a part of it, whole lines, or lines that are indented in another way. */
export function editOf(random: Random, text: string): GeneratedEdit {
  const oldText = random.weighted([
    { weight: 5, of: () => linesIn(random, text) },
    { weight: 4, of: () => partOf(random, text) },
    { weight: 2, of: () => otherwiseIndented(random, linesIn(random, text)) },
    { weight: 1, of: () => lineOf(random) },
  ])
  // No old text at all is a case of its own, and not what mostly happens.
  const found = oldText.of() || (random.chance(0.2) ? '' : lineOf(random))
  return { oldText: found, newText: changed(random, found) }
}

/** What becomes of a text, where there is no doubt of it; else it is taken to stay as it is. */
export function edited(text: string, { oldText, newText: put }: GeneratedEdit): string {
  const isThereOnce = oldText !== '' && text.split(oldText).length === 2
  return isThereOnce ? text.replace(oldText, () => put) : text
}

function linesIn(random: Random, text: string): string {
  const lines = text.split('\n')
  const from = random.int(lines.length)
  const some = lines.slice(from, from + random.int(3) + 1).join('\n')
  return random.chance(0.3) ? `${some}\n` : some
}

function partOf(random: Random, text: string): string {
  const characters = [...text]
  const from = random.int(characters.length + 1)
  return characters.slice(from, from + random.int(12) + 1).join('')
}

function otherwiseIndented(random: Random, lines: string): string {
  const indent = random.pick(['', '  ', '\t', '      '])
  return lines
    .split('\n')
    .map((line) => (line.trim() === '' ? line : indent + line.trim()))
    .join('\n')
}

function changed(random: Random, text: string): string {
  return random.pick([
    () => '',
    () => lineOf(random),
    () => `${text}${lineOf(random)}`,
    () => `${lineOf(random)}\n${text}`,
    () => text.toUpperCase(),
    () => text,
  ])()
}
