import { type Refusal, refuse } from '../../contract/errors.ts'
import type { EditFault } from '../../text/edit.ts'

/** Why an edit was not applied, what stands there instead, and what would be (files §12). */
export function editRefusal(path: string, version: number, fault: EditFault): Refusal {
  const { index, reason, encoding, count, lines, excerpt } = fault
  if (reason === 'encoding') {
    const what = encoding === 'binary' ? 'is not text' : `is ${encoding} text`
    return refuse(
      'invalid_request',
      `${path} ${what}, so it cannot be edited as text. Nothing was written. ` +
        'Write it anew as a whole, with its version.',
      { path, encoding },
    )
  }
  const { says, next } = SENTENCES[reason](fault)
  const facts = { path, edit: index, version, excerpt, reason }
  const places = lines.length === 0 ? {} : { count, lines }
  return refuse(
    'edit_conflict',
    `${path}: edit ${index + 1} was not applied: ${says}. Nothing was written. ${next}`,
    { ...facts, ...places, ...(encoding === 'utf-8' ? {} : { encoding }) },
  )
}

interface Sentence {
  says: string
  next: string
}

const SENTENCES: Record<
  Exclude<EditFault['reason'], 'encoding'>,
  (fault: EditFault) => Sentence
> = {
  absent: () => ({
    says: 'its old text does not stand there (any more)',
    next: 'Read the file and give text that stands there exactly once.',
  }),
  several: ({ count, lines }) => ({
    says: `its old text stands there ${count} times, in ${listed(count, lines)}`,
    next: 'Give it with more of the text around the one that you mean, so that it stands there once.',
  }),
  indentation: ({ lines }) => ({
    says: `its old text stands in line ${lines[0]} with another indentation, which does not say how your new lines are to be indented`,
    next: 'Give old and new text with the indentation of the file.',
  }),
  characters: ({ encoding }) => ({
    says: `the file is ${encoding} text, which lacks characters of the new text`,
    next: 'Use other characters, or write the file anew as a whole, with its version.',
  }),
}

function listed(count: number, lines: readonly number[]): string {
  if (lines.length < count) return `lines ${lines.join(', ')} and more`
  if (new Set(lines).size === 1) return `line ${lines[0]}`
  return `lines ${lines.slice(0, -1).join(', ')} and ${lines.at(-1)}`
}
