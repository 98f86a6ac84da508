import { isUtf8 } from 'node:buffer'
import type { Difference } from '../difference.ts'
import { changeIn } from './diff-text.ts'
import {
  argumentsOf,
  isDoneDespite,
  isValues,
  type Reason,
  refusalIn,
  type Texts,
  textsOf,
  type Values,
} from './reason.ts'

/** Which edits are made, what they leave alone, and how a diff shows them. */
export const EDITING: readonly Reason[] = [
  {
    id: 'old-text-stands-once',
    reason:
      'An edit whose old text stands there more than once is refused: which is meant is not known.',
    matches: (difference) => {
      const problem = refusalIn(difference, 'edit_conflict')
      return problem?.reason === 'several' && Number(problem.count) > 1
    },
  },
  {
    id: 'old-text-is-something',
    reason:
      'An edit without an old text is refused, where the official server puts its text in front.',
    matches: (difference) =>
      editsOf(difference).some(({ oldText }) => oldText === '') &&
      refusalIn(difference, 'invalid_request') !== undefined,
  },
  {
    id: 'edits-are-something',
    reason: 'No edits at all are refused instead of made.',
    matches: (difference) => {
      const { edits } = argumentsOf(difference)
      const isNone = Array.isArray(edits) && edits.length === 0
      return isNone && refusalIn(difference, 'invalid_request') !== undefined
    },
  },
  {
    id: 'text-is-edited',
    reason: 'What is not text is not edited: the official server writes other bytes all over it.',
    matches: (difference) =>
      difference.call.tool === 'edit_file' &&
      refusalIn(difference, 'invalid_request')?.encoding !== undefined,
  },
  {
    id: 'indentation-is-known',
    reason:
      'Where lines match but for blanks, and these do not say how the new ones go, nothing is guessed.',
    matches: (difference) => refusalIn(difference, 'edit_conflict')?.reason === 'indentation',
  },
  {
    id: 'line-end-of-old-text',
    reason:
      'The line end of an old text belongs to its last line, and is not needed where the file has none.',
    matches: (difference) =>
      editsOf(difference).some(({ oldText }) => String(oldText).endsWith('\n')) &&
      isDoneDespite(difference, /^Could not find exact match for edit:\n/),
  },
  onDisk(
    'line-ends-stay',
    'Line ends stay as they are, where the official server makes all of them "\\n".',
    (official, ours) => {
      const text = ours.toString('latin1')
      return text.includes('\r\n') && text.replaceAll('\r\n', '\n') === official.toString('latin1')
    },
  ),
  inDiff(
    'line-ends-are-shown',
    'Where line ends differ from each other, a diff shows them.',
    ({ official, ours }) => ours.includes('\r') && official === ours.replaceAll('\r\n', '\n'),
  ),
  onDisk(
    'bytes-stay',
    'Bytes beside an edit stay as they are, also where they are no UTF-8.',
    (official, ours) =>
      !isUtf8(ours) && ours.toString('utf8').replaceAll('\r\n', '\n') === official.toString('utf8'),
  ),
  inDiff(
    'characters-are-shown',
    'A diff shows text in its own encoding.',
    ({ official, ours }) => official === ours.replaceAll(/[\u0080-\u00ff]/g, '\ufffd'),
  ),
  onDisk(
    'indentation-stays',
    'Where lines match but for blanks, new lines get the indentation of the file.',
    (official, ours) => withoutBlanks(official.toString()) === withoutBlanks(ours.toString()),
  ),
  inDiff(
    'indentation-in-diffs',
    'Where lines match but for blanks, a diff shows them in the indentation of the file.',
    ({ official, ours }) =>
      changeIn(official, withoutBlanks) !== undefined &&
      changeIn(official, withoutBlanks) === changeIn(ours, withoutBlanks),
  ),
  inDiff(
    'long-diffs',
    'A diff that nobody would read to its end is cut, and says so.',
    ({ official, ours }) => {
      const cut = LEFT_OUT.exec(ours)
      return cut !== null && official.startsWith(ours.slice(0, cut.index))
    },
  ),
  inDiff(
    'nothing-edited',
    'An edit that changes nothing says so, instead of showing a diff without lines.',
    ({ official, ours }) =>
      /^Edited .*\. Nothing changed: .* stays at version \d+\.$/s.test(ours) &&
      !official.includes('\n@@ '),
  ),
]

const LEFT_OUT =
  /^\.\.\. \d+ more lines.* of this diff are not shown; the change itself is whole\.$/m

function editsOf(difference: Difference): Values[] {
  const { edits } = argumentsOf(difference)
  return Array.isArray(edits) ? edits.filter(isValues) : []
}

function onDisk(
  id: string,
  reason: string,
  isMeant: (official: Buffer, ours: Buffer) => boolean,
): Reason {
  return {
    id,
    reason,
    matches: ({ aspect, call, bytes, official, ours }) =>
      aspect === 'disk' &&
      call.tool === 'edit_file' &&
      bytes !== undefined &&
      modeOf(official) === modeOf(ours) &&
      isMeant(bytes.official, bytes.ours),
  }
}

function inDiff(id: string, reason: string, isMeant: (texts: Texts) => boolean): Reason {
  return {
    id,
    reason,
    matches(difference) {
      const texts = difference.call.tool === 'edit_file' ? textsOf(difference) : undefined
      return texts !== undefined && texts.beside.length === 0 && isMeant(texts)
    },
  }
}

function modeOf(standing: unknown): unknown {
  return isValues(standing) ? standing.mode : undefined
}

function withoutBlanks(text: string): string {
  return text.replaceAll(/\s+/g, '')
}
