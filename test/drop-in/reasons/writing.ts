import { isDoneDespite, type Reason, refusalIn, textsOf } from './reason.ts'

/** What is written, and what has to be known before. */
export const WRITING: readonly Reason[] = [
  {
    id: 'read-before-overwriting',
    reason:
      'A file is overwritten by who has read it as it is: nobody loses what another has written.',
    matches: (difference) =>
      difference.call.tool === 'write_file' &&
      refusalIn(difference, 'unseen_version', 'stale_version') !== undefined,
  },
  {
    id: 'folders-on-the-way',
    reason: 'Folders that are missing on the way to what is written or moved are made.',
    matches: (difference) =>
      ['write_file', 'move_file'].includes(difference.call.tool) &&
      isDoneDespite(difference, /^ENOENT: no such file or directory, (?:open|rename) '/),
  },
  {
    id: 'long-names',
    reason: 'A file whose name is as long as a name may be can be overwritten and edited.',
    matches: (difference) =>
      isDoneDespite(difference, /^ENAMETOOLONG: name too long, .*\.<chance>\.tmp'/),
  },
  {
    id: 'nothing-written',
    reason: 'A write of what stands there already says that it changed nothing.',
    matches: (difference) => {
      const texts = difference.call.tool === 'write_file' ? textsOf(difference) : undefined
      if (texts === undefined || !texts.ours.startsWith(texts.official)) return false
      return NOTHING_CHANGED.test(texts.ours.slice(texts.official.length))
    },
  },
]

const NOTHING_CHANGED =
  /^\. Nothing changed: it held just that already, and stays at version \d+\.$/
