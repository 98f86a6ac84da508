import { argumentsOf, factsOf, type Reason, refusalIn, textsOf } from './reason.ts'
import { kindsOfParts } from './several.ts'

/** How lines, media and what is no text are read. */
export const READING: readonly Reason[] = [
  {
    id: 'no-lines',
    reason: 'head: 0 and tail: 0 give no lines, where the official server gives all.',
    matches: (difference) => {
      const { head, tail } = argumentsOf(difference)
      const texts = textsOf(difference)
      return (head === 0 || tail === 0) && texts?.ours === '' && texts.beside.length === 0
    },
  },
  {
    id: 'head-or-tail',
    reason: 'head and tail exclude each other whatever they are, 0 as well.',
    matches: (difference) => {
      const { head, tail } = argumentsOf(difference)
      const both = head !== undefined && tail !== undefined && (head === 0 || tail === 0)
      return both && refusalIn(difference, 'invalid_request') !== undefined
    },
  },
  {
    id: 'counts-of-lines',
    reason: 'Fewer than no lines, or parts of lines, are refused instead of taken for some number.',
    matches: (difference) => {
      const { head, tail } = argumentsOf(difference)
      const isOdd = [head, tail].some(
        (n) => typeof n === 'number' && !(Number.isInteger(n) && n >= 0),
      )
      return isOdd && refusalIn(difference, 'invalid_request') !== undefined
    },
  },
  {
    id: 'not-utf-8',
    reason:
      'What is not UTF-8 is read in its own encoding, or not as text at all, and a note says which.',
    matches: (difference) => {
      const { encoding, lossy } = factsOf(difference)
      const isOther = lossy === true || (encoding !== undefined && encoding !== 'utf-8')
      const [note = '', ...more] = textsOf(difference)?.beside ?? []
      return isOther && note.startsWith('Note: ') && more.length === 0
    },
  },
  {
    id: 'media-by-bytes',
    reason:
      'What a file is, its first bytes say, not its name: a model chokes on an image that is none.',
    matches: ({ call, aspect, official, ours }) => {
      if (call.tool !== 'read_media_file' || (aspect !== 'content' && aspect !== 'structured')) {
        return false
      }
      const [one, other] = [mediaIn(official), mediaIn(ours)]
      if (one === undefined || other === undefined || one.data !== other.data) return false
      return one.uri === undefined || other.uri === undefined || one.uri === other.uri
    },
  },
  several(
    'errors-in-several',
    'Of a file that cannot be read, the same words say why as alone.',
    'error',
  ),
  several('not-utf-8-in-several', 'Among several, too, what is not UTF-8 says so.', 'not text'),
  several('several-that-are-large', 'Several files fill one answer at most, and say so.', 'cut'),
]

type Kind = 'error' | 'not text' | 'cut'

function several(id: string, reason: string, kind: Kind): Reason {
  return {
    id,
    reason,
    matches(difference) {
      const texts = difference.call.tool === 'read_multiple_files' ? textsOf(difference) : undefined
      const kinds = texts === undefined ? undefined : kindsOfParts(texts)
      return kinds?.has(kind) === true && texts?.beside.length === 0
    },
  }
}

interface Media {
  data: unknown
  uri?: unknown
}

/** The bytes of the one block, whatever kind of block it is. */
function mediaIn(content: unknown): Media | undefined {
  const [block, ...more] = Array.isArray(content) ? content : []
  if (more.length > 0 || typeof block !== 'object' || block === null) return undefined
  const { data, resource } = block as { data?: unknown; resource?: { uri: unknown; blob: unknown } }
  return resource === undefined ? { data } : { data: resource.blob, uri: resource.uri }
}
