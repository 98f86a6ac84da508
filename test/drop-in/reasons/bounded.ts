import { isDeepStrictEqual } from 'node:util'
import { argumentsOf, type Reason, refusalIn, type Texts, textsOf } from './reason.ts'

/** Answers that end where the official server's go on: a model reads every byte of them. */
export const BOUNDED: readonly Reason[] = [
  ended(
    'long-texts',
    ['read_text_file', 'read_file'],
    'A text of more than 4 MiB is given in parts, and says where the next begins.',
    /^Note: This is not all that you asked for: /,
    ({ official, ours }) => ours.length > 1024 * 1024 && official.startsWith(ours),
  ),
  {
    id: 'large-media',
    reason: 'Media of more than 4 MiB are refused: no model takes them.',
    matches: (difference) =>
      difference.call.tool === 'read_media_file' &&
      refusalIn(difference, 'too_large') !== undefined,
  },
  {
    id: 'many-at-once',
    reason: 'At most 1,000 files are read at once.',
    matches: (difference) => {
      const { paths } = argumentsOf(difference)
      const isMany = Array.isArray(paths) && paths.length > 1000
      return isMany && refusalIn(difference, 'invalid_request') !== undefined
    },
  },
  ended(
    'long-lists',
    ['list_directory'],
    'A list of more than 1,000 entries is given in pages.',
    /^There are more: list_directory with cursor /,
    ({ official, ours }) => official.startsWith(`${ours}\n`),
  ),
  ended(
    'long-lists-with-sizes',
    ['list_directory_with_sizes'],
    'A list with sizes shows 1,000 entries, and the total of all.',
    /^Only the first \d+ are shown; /,
    ({ official, ours }) => {
      const [shown, total] = ours.split('\n\n')
      return official.startsWith(`${shown}\n`) && official.endsWith(`\n\n${total}`)
    },
  ),
  ended(
    'large-trees',
    ['directory_tree'],
    'A tree shows 1,000 entries, and marks what it left out.',
    /^Not all is shown: a tree has at most /,
    ({ official, ours }) => isPartOf(JSON.parse(ours), JSON.parse(official)),
  ),
  ended(
    'large-searches',
    ['search_files'],
    'A search shows 1,000 matches, and says that there may be more.',
    /^Not all was searched: at most /,
    ({ official, ours }) => {
      const all = new Set(official.split('\n'))
      return ours.split('\n').every((path) => all.has(path))
    },
  ),
  {
    id: 'deep-trees',
    reason: 'A deep tree is not indented, where that would be most of the answer.',
    matches: (difference) => {
      const texts = difference.call.tool === 'directory_tree' ? textsOf(difference) : undefined
      if (texts === undefined || texts.beside.length > 0 || texts.ours.includes('\n')) return false
      return isDeepStrictEqual(JSON.parse(texts.ours), JSON.parse(texts.official))
    },
  },
  {
    id: 'long-messages',
    reason: 'A message of more than 10 MiB is answered, where the official server ends.',
    matches: ({ aspect, call, outcomes }) =>
      aspect === 'silence' &&
      call.mayEnd === true &&
      outcomes?.official.kind === 'silence' &&
      outcomes.ours.kind === 'answer' &&
      !outcomes.ours.isError,
  },
]

function ended(
  id: string,
  tools: readonly string[],
  reason: string,
  note: RegExp,
  isMeant: (texts: Texts) => boolean,
): Reason {
  return {
    id,
    reason,
    matches(difference) {
      const texts = tools.includes(difference.call.tool) ? textsOf(difference) : undefined
      if (texts === undefined) return false
      const [said = '', ...more] = texts.beside
      return more.length === 0 && note.test(said) && isMeant(texts)
    },
  }
}

interface TreeEntry {
  name: string
  children?: TreeEntry[]
}

/** Whether each entry of a tree stands in another, in the same order. */
function isPartOf(some: readonly TreeEntry[], all: readonly TreeEntry[]): boolean {
  let at = 0
  return some.every(({ name, children }) => {
    while (at < all.length && all[at]?.name !== name) at += 1
    const found = all[at]
    return found !== undefined && isPartOf(children ?? [], found.children ?? [])
  })
}
