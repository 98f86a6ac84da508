import type { Difference } from '../difference.ts'
import { argumentsOf, type Reason, textsOf } from './reason.ts'

/** What patterns find. */
export const PATTERNS: readonly Reason[] = [
  {
    id: 'dot-slash-in-patterns',
    reason:
      'A pattern that begins with "./" matches what the rest of it matches, instead of nothing.',
    matches: (difference) =>
      patternsOf(difference).some((pattern) => /^!*\.\//.test(pattern)) &&
      foundByOne(difference).length > 0,
  },
  {
    id: 'one-character',
    reason: '"?" is one character, also for a character that takes two units of UTF-16.',
    matches: (difference) => {
      const found = foundByOne(difference)
      const isAsked = patternsOf(difference).some((pattern) => pattern.includes('?'))
      return (
        isAsked && found.length > 0 && found.every((path) => /[\u{10000}-\u{10ffff}]/u.test(path))
      )
    },
  },
]

function patternsOf(difference: Difference): string[] {
  const { pattern, excludePatterns } = argumentsOf(difference)
  const excluded = Array.isArray(excludePatterns) ? excludePatterns : []
  return [pattern, ...excluded].filter((one) => typeof one === 'string')
}

/** What only one of the servers found; nothing where what both found is not in the same order. */
function foundByOne(difference: Difference): string[] {
  const texts = textsOf(difference)
  const find = FOUND[difference.call.tool]
  if (texts === undefined || texts.beside.length > 0 || find === undefined) return []
  const [official, ours] = [find(texts.official), find(texts.ours)]
  const both = (paths: string[], others: string[]) => paths.filter((path) => others.includes(path))
  if (both(official, ours).join('\n') !== both(ours, official).join('\n')) return []
  const all = [...new Set([...official, ...ours])]
  return all.filter((path) => !official.includes(path) || !ours.includes(path))
}

const FOUND: Record<string, (text: string) => string[]> = {
  search_files: (text) => text.split('\n').filter((path) => path !== 'No matches found'),
  directory_tree: (text) => namesIn(JSON.parse(text), ''),
}

interface TreeEntry {
  name: string
  children?: TreeEntry[]
}

function namesIn(tree: readonly TreeEntry[], above: string): string[] {
  return tree.flatMap(({ name, children }) => {
    return [`${above}/${name}`, ...namesIn(children ?? [], `${above}/${name}`)]
  })
}
