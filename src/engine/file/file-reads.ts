import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { maySupervise } from '../../core/agent/rights.ts'
import type { Actor } from '../../core/command.ts'
import type { Blobs } from '../../store/blobs.ts'
import type { Content } from '../api.ts'
import type { Desk } from '../desk.ts'
import { fileFacts, holderOf } from '../lock/lock-answers.ts'
import { contentOf } from './contents.ts'
import { assertReadable, draftFacts, fileAt, readerOf } from './query.ts'
import { partOf, readText } from './read-text.ts'

/** Contents on their way out, and what whoever reads them knows by that (files §5, §9). */
export class FileReads {
  private readonly desk: Desk
  private readonly blobs: Blobs

  constructor(desk: Desk, blobs: Blobs) {
    this.desk = desk
    this.blobs = blobs
  }

  async read(
    input: Parsed<'read_file'>,
    actor: Actor,
  ): Promise<{ value: Output<'read_file'>; content: Content }> {
    const reader = readerOf(this.desk, actor)
    const { path, at } = input
    const entry = await this.desk.audited(actor, 'read_file', input, () => fileAt(reader, path, at))
    const content = contentOf(this.desk.stream.overlay, this.blobs, entry)
    const value = fileFacts(path, entry, holderOf(reader.state.locks, path, reader.moment))
    // The newest version may not be durable yet; it is shown when it is.
    if (entry.version > this.desk.stream.durable) await this.desk.stream.settled(entry.version)
    if (at === undefined && actor.unnamed !== true) {
      this.desk.seen.saw(actor.session, entry.id, entry.version, this.desk.clock.now())
    }
    return { value, content }
  }

  async readText(input: Parsed<'read_text'>, actor: Actor): Promise<Output<'read_text'>> {
    const { path, at } = input
    const part = partOf(input)
    const reader = readerOf(this.desk, actor)
    const entry = await this.desk.audited(actor, 'read_text', input, () => fileAt(reader, path, at))
    const { id, version, size } = entry
    const lock = holderOf(reader.state.locks, path, reader.moment)
    const content = contentOf(this.desk.stream.overlay, this.blobs, entry)
    if (version > this.desk.stream.durable) await this.desk.stream.settled(version)
    const readAt = this.desk.clock.now()
    const { text, encoding, lossy, cut, nextOffset } = await readText(
      content,
      part,
      LIMITS.answerBytes,
    )
    // Who was shown less than it asked for does not know the file by that.
    if (at === undefined && !cut && actor.unnamed !== true) {
      this.desk.seen.saw(actor.session, id, version, readAt, lossy ? encoding : undefined)
    }
    return {
      ...{ path, version, size, text, encoding },
      ...(lossy ? { lossy } : {}),
      ...(cut ? { cut } : {}),
      ...optional('next_offset', nextOffset),
      ...optional('lock', lock),
    }
  }

  async readDraft(
    input: Parsed<'read_draft'>,
    actor: Actor,
  ): Promise<{ value: Output<'read_draft'>; content: Content }> {
    const { state, durable, overlay } = this.desk.stream
    const draft = state.drafts.get(Number(input.draft.slice(1)))
    const isPast = draft === undefined || this.desk.clock.now() >= draft.until
    if (isPast || (draft.agent !== actor.agent && !maySupervise(actor.role))) {
      fail('not_found', `There is no draft ${input.draft} of yours, or it is no longer kept.`, {
        draft: input.draft,
      })
    }
    assertReadable(readerOf(this.desk, actor), draft.path)
    if (draft.id > durable) await this.desk.stream.settled(draft.id)
    return { value: draftFacts(draft), content: contentOf(overlay, this.blobs, draft) }
  }
}
