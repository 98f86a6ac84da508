import { hasFailed } from '../outcome.ts'
import { argumentsOf, type Reason, refusalIn, textsOf } from './reason.ts'

/** What is of the folder itself, and of names in it. */
export const FOLDER: readonly Reason[] = [
  {
    id: 'roots-of-the-configuration',
    reason:
      'The folders that a configuration names are those that are served; what a client offers besides changes nothing.',
    matches: ({ session, aspect }) =>
      session.startsWith('roots') &&
      ['success', 'content', 'structured', 'error text'].includes(aspect),
  },
  {
    id: 'data-in-the-folder',
    reason:
      'Sluice keeps its data in the folder, in ".sluice", so the folder itself was changed then.',
    matches: (difference) => {
      const texts = difference.call.tool === 'get_file_info' ? textsOf(difference) : undefined
      const { path } = argumentsOf(difference)
      const isTop = typeof path === 'string' && /^(?:|\.|\.\/|<base>\/\w+\/?)$/.test(path)
      return (
        isTop &&
        texts !== undefined &&
        withoutModified(texts.official) === withoutModified(texts.ours)
      )
    },
  },
  {
    id: 'names-that-no-path-has',
    reason:
      'Names with control characters, or that are no Unicode, are left out: no path can say them.',
    matches: (difference) => {
      const texts = LISTING.has(difference.call.tool) ? textsOf(difference) : undefined
      if (texts === undefined) return false
      return named(difference.call.tool, texts.official) === named(difference.call.tool, texts.ours)
    },
  },
  {
    id: 'paths-meant-elsewhere',
    reason:
      'A path with a control character, a backslash, an encoded slash, or a drive or "~" at its start is nearly always a mistake, and is refused with what to write.',
    matches: (difference) =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
      /[\u0000-\u001f\\]|%2f|%5c|^<base>\/folder\/(?:~|[a-z]:)\//i.test(
        String(argumentsOf(difference).path),
      ) && refusalIn(difference, 'invalid_path') !== undefined,
  },
  {
    id: 'one-name-of-two-forms',
    reason:
      'Of two names that differ only in how an accent is composed, the composed one is meant: to people they are one name.',
    matches: (difference) => {
      const { path } = argumentsOf(difference)
      const isOther = typeof path === 'string' && path.normalize('NFC') !== path
      return isOther && difference.outcomes !== undefined && !hasFailed(difference.outcomes.ours)
    },
  },
]

const LISTING = new Set([
  ...['list_directory', 'list_directory_with_sizes', 'directory_tree', 'search_files'],
])

function withoutModified(text: string): string {
  return text.replace(/^modified: .*$/m, '')
}

/** What a listing says of names that a path can have, without what counts them. */
function named(tool: string, text: string): string {
  if (tool === 'directory_tree') return JSON.stringify(JSON.parse(text), withoutUnnamed)
  const lines = text.replaceAll(/^.*\nend\.txt.*$/gm, '').split('\n')
  return lines.filter((line) => !/^$|\ufffd|^(?:Total|Combined size): /.test(line)).join('\n')
}

function withoutUnnamed(_: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  return value.filter(({ name }: { name?: string }) => !/[\u0000-\u001f\ufffd]/.test(name ?? ''))
}
