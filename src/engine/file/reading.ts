import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { maySupervise } from '../../core/agent/rights.ts'
import type { Actor } from '../../core/command.ts'
import type { FileEntry } from '../../core/file/entry.ts'
import type { Handlers, Reader } from '../handler.ts'
import { holderOf } from '../lock/lock-answers.ts'
import { numberOf } from '../lock/named.ts'
import type { WorkspaceContext } from '../workspace-context.ts'
import { contentOf } from './contents.ts'
import { draftFacts } from './draft-facts.ts'
import { fileFacts } from './file-facts.ts'
import { getHistory } from './history.ts'
import { getEntry } from './listing.ts'
import { assertReadable, fileAt } from './look-up.ts'
import { partOf, readText } from './read-text.ts'

type Read = Pick<
  Handlers<'workspace'>,
  'read_file' | 'read_text' | 'read_draft' | 'get_entry' | 'get_history'
>

/** Contents on their way out, and what whoever reads them knows by that (files §5, §9). */
export function reading(context: WorkspaceContext): Read {
  const { seen, clock, stream, outside } = context
  const bytesOf = (one: { sha256: string; size: number }) =>
    contentOf(stream.overlay, outside.blobs, one)
  const contentAt = (path: string, entry: FileEntry, at: number | undefined) =>
    entry.sha256 === '' && at === undefined && context.tree !== undefined
      ? context.tree.contentOf(path, entry)
      : bytesOf(entry)
  const lockOn = ({ state, moment }: Reader, path: string) => holderOf(state.locks, path, moment)
  /** Whoever was shown the newest version whole knows it. */
  const saw = (actor: Actor, { id, version }: FileEntry, at: number, inexact?: string) => {
    if (actor.unnamed !== true) seen.saw(actor.session, id, version, at, inexact)
  }
  return {
    read_file: {
      read(reader, { input: { path, at } }) {
        const entry = fileAt(reader, path, at)
        const content = contentAt(path, entry, at)
        const value = fileFacts(path, entry, lockOn(reader, path))
        return async () => {
          if (at === undefined) saw(reader.actor, entry, clock.now())
          return { value, content }
        }
      },
    },
    read_text: {
      read(reader, { input }) {
        const { path, at } = input
        const part = partOf(input)
        const entry = fileAt(reader, path, at)
        const { version, size } = entry
        const content = contentAt(path, entry, at)
        const lock = lockOn(reader, path)
        return async () => {
          const readAt = clock.now()
          const said = await readText(content, part, LIMITS.answerBytes)
          const { text, encoding, lossy, cut, nextOffset } = said
          // Who was shown less than it asked for does not know the file by that.
          if (at === undefined && !cut) {
            saw(reader.actor, entry, readAt, lossy ? encoding : undefined)
          }
          return {
            ...{ path, version, size, text, encoding },
            ...(lossy ? { lossy } : {}),
            ...(cut ? { cut } : {}),
            ...optional('next_offset', nextOffset),
            ...optional('lock', lock),
          }
        }
      },
    },
    read_draft: {
      read(reader, { input }) {
        const { state, actor } = reader
        const draft = state.drafts.get(numberOf(input.draft))
        const isPast = draft === undefined || clock.now() >= draft.until
        if (isPast || (draft.agent !== actor.agent && !maySupervise(actor.role))) {
          fail('not_found', `There is no draft ${input.draft} of yours, or it is no longer kept.`, {
            draft: input.draft,
          })
        }
        assertReadable(reader, draft.path)
        return { value: draftFacts(draft), content: bytesOf(draft) }
      },
    },
    get_entry: { read: (reader, { input }) => getEntry(reader, input, context.tree) },
    get_history: { read: (reader, { input }) => getHistory(reader, input) },
  }
}
