import { fail, type Refusal, refuse } from '../contract/errors.ts'
import type { Event } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import type { Output, Parsed } from '../contract/operations.ts'
import { isoTime } from '../contract/time.ts'
import { maySupervise } from '../core/agent/rights.ts'
import type { Actor, Commit, KeepDraft } from '../core/command.ts'
import { decide } from '../core/decide.ts'
import { placeOf } from '../core/file/place.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Content } from './api.ts'
import { type AskedChange, type Prepared, prepareAppendNow, prepareChanges } from './change.ts'
import { contentOf, stage } from './contents.ts'
import type { Desk } from './desk.ts'
import { assertReadable, draftFacts, fileAt, type Reader } from './query.ts'
import { fileFacts, holderOf, writtenReply } from './reply.ts'
import { DISK_FULL } from './storage-refusal.ts'

/** The operations on files: contents made safe, commits decided, answers out of facts. */
export class FileCalls {
  private readonly desk: Desk
  private readonly blobs: Blobs
  private readonly busyPaths = new Map<string, Promise<unknown>>()

  constructor(desk: Desk, blobs: Blobs) {
    this.desk = desk
    this.blobs = blobs
  }

  private reader(actor: Actor): Reader {
    return { state: this.desk.stream.state, actor, moment: this.desk.moment() }
  }

  async read(
    input: Parsed<'read_file'>,
    actor: Actor,
  ): Promise<{ value: Output<'read_file'>; content: Content }> {
    const reader = this.reader(actor)
    const { path, at } = input
    const entry = await this.desk.audited(actor, 'read_file', input, () => fileAt(reader, path, at))
    const content = contentOf(this.desk.stream.overlay, this.blobs, entry)
    const value = fileFacts(path, entry, holderOf(reader.state.locks, path, reader.moment))
    // The newest version may not be durable yet; it is shown when it is.
    if (entry.version > this.desk.stream.durable) await this.desk.stream.settled(entry.version)
    if (at === undefined)
      this.desk.seen.saw(actor.session, entry.id, entry.version, this.desk.clock.now())
    return { value, content }
  }

  async write(
    input: Parsed<'write_file'>,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  ): Promise<Output<'write_file'>> {
    const { path } = input
    const again = await this.committedAgain(actor, input.request_id)
    if (again === undefined) {
      const isSmall =
        content === undefined ||
        (content instanceof Uint8Array && content.length <= LIMITS.smallContentBytes)
      if (!isSmall) await this.assertWritable(input, actor)
      const limit = this.desk.stream.state.settings.file_bytes
      const staged = await stage(content ?? new Uint8Array(), this.blobs, limit)
      const change = {
        kind: 'write' as const,
        how: 'write' as const,
        path,
        content: { sha256: staged.sha256, size: staged.size },
        ifVersion: input.if_version,
        ifNone: input.if_none,
      }
      const attachments = staged.attachment === undefined ? [] : [staged.attachment]
      // In the same turn as the decision, so nothing comes between.
      const missing = input.if_exists === true ? this.missing(input, actor, change) : undefined
      if (missing !== undefined) return this.desk.refused(actor, 'write_file', [path], missing)
      const event = await this.decided(input, actor, { changes: [change], attachments, diffs: [] })
      return writeAnswer(event, path)
    }
    return writeAnswer(again, path)
  }

  /** Why a write that is to replace a file cannot: there is none. Who may not write is told that. */
  private missing(
    input: Parsed<'write_file'>,
    actor: Actor,
    change: Commit['changes'][number],
  ): Refusal | undefined {
    const { path } = input
    const { records, settings } = this.desk.stream.state
    if (placeOf(records, path, settings.portable_names).entry?.kind === 'file') return undefined
    const command = this.commitCommand(input, actor, [change])
    const { refusal } = decide(this.desk.stream.state, command, this.desk.moment())
    const detail = `There is no file at ${path}, and this write was to replace one. Nothing was written.`
    return refusal ?? refuse('stale_version', detail, { path, current: 0 })
  }

  /** A large upload is refused before it is sent, where that is known already. */
  private async assertWritable(input: Parsed<'write_file'>, actor: Actor): Promise<void> {
    const change = {
      kind: 'write' as const,
      how: 'write' as const,
      path: input.path,
      content: { sha256: '', size: 0 },
      ifVersion: input.if_version,
      ifNone: input.if_none,
    }
    const command = this.commitCommand(input, actor, [change])
    const { refusal } = decide(this.desk.stream.state, command, this.desk.moment())
    // Whoever lost its lock may still send it: it is kept as a draft.
    if (refusal === undefined || refusal.code === 'lock_lost') return
    await this.desk.refused(actor, 'write_file', [input.path], refusal)
  }

  async patch(input: Parsed<'patch_file'>, actor: Actor): Promise<Output<'patch_file'>> {
    const { path, append, edits, replace, create = true, dry_run } = input
    if ([append, edits, replace].filter((one) => one !== undefined).length !== 1) {
      fail('invalid_request', 'Give one of "append", "edits" and "replace".')
    }
    if (dry_run === true && edits !== undefined) {
      const asked = [{ op: 'edit' as const, path, edits }]
      await this.assertEditable(actor, asked)
      const { diffs } = await prepareChanges(this.source(), asked)
      const entry = fileAt(this.reader(actor), path, undefined)
      return { path, version: entry.version, diff: diffs[0] as string, dry_run: true }
    }
    const again = await this.committedAgain(actor, input.request_id)
    if (again !== undefined) return { ...writtenOf(again, path), created: isNew(again, path) }
    if (append !== undefined && !create) fileAt(this.reader(actor), path, undefined)
    const asked: AskedChange =
      replace !== undefined
        ? {
            op: 'replace',
            path,
            text: replace.text,
            range: replace.range ?? this.ownRange(path, actor),
          }
        : edits === undefined
          ? { op: 'append', path, text: append }
          : { op: 'edit', path, edits }
    const conditions = { ifVersion: input.if_version, ifNone: input.if_none }
    const { event, prepared } = await this.changed(input, actor, [asked], conditions)
    const [diff] = prepared.diffs
    return {
      ...writtenOf(event, path),
      created: isNew(event, path),
      ...(diff === undefined ? {} : { diff }),
    }
  }

  /** The one range of a file that a session holds, where it lies now. */
  private ownRange(path: string, actor: Actor): { start: number; end?: number } {
    const owner = this.desk.stream.state.locks.owners.get(actor.session)
    const ranges = [...(owner?.locks ?? [])].flatMap((lock) =>
      lock.items.filter((item) => item.path === path && item.range !== undefined),
    )
    const [only] = ranges
    if (only?.range === undefined || ranges.length > 1) {
      const held = only === undefined ? 'You hold no range' : 'You hold several ranges'
      fail('invalid_request', `${held} of ${path}. Say which bytes to replace with "range".`, {
        fields: [{ field: 'replace', fault: 'no range' }],
      })
    }
    const { start, end } = only.range
    return end === Number.POSITIVE_INFINITY ? { start } : { start, end }
  }

  async delete(input: Parsed<'delete_file'>, actor: Actor): Promise<Output<'delete_file'>> {
    const { path, recursive = false, if_version } = input
    const again = await this.committedAgain(actor, input.request_id)
    const event =
      again ??
      (await this.decided(input, actor, {
        changes: [{ kind: 'delete', path, recursive, ifVersion: if_version }],
        attachments: [],
        diffs: [],
      }))
    return { path, version: event.revision }
  }

  async commit(input: Parsed<'commit'>, actor: Actor): Promise<Output<'commit'>> {
    const again = await this.committedAgain(actor, input.request_id)
    const event = again ?? (await this.changed(input, actor, input.changes)).event
    return { revision: event.revision, files: writtenReply(event) }
  }

  /**
   * Prepares and decides. Appends and edits of one path take turns, so that the version they were
   * worked out on is passed by nothing but somebody's whole write; then they are worked out again.
   */
  private async changed(
    input: CommitTerms,
    actor: Actor,
    asked: readonly AskedChange[],
    conditions: Conditions = {},
  ): Promise<{ event: CommitEvent; prepared: Prepared }> {
    await this.assertEditable(actor, asked)
    const onNewest = asked.filter((change) => ON_NEWEST.has(change.op))
    const now = this.preparedNow(asked)
    if (now !== undefined) {
      const event = await this.decided(input, actor, withConditions(now, conditions))
      return { event, prepared: now }
    }
    const paths = onNewest.map((change) => change.path)
    for (let tries = 1; ; tries++) {
      let prepared: Prepared | undefined
      const settled = await this.inTurn(paths, async () => {
        prepared = withConditions(await prepareChanges(this.source(), asked), conditions)
        return this.attempt(input, actor, prepared)
      })
      if (!('refusal' in settled)) {
        const event = await this.durableOf(settled)
        return { event, prepared: prepared as unknown as Prepared }
      }
      const isPassed =
        conditions.ifVersion === undefined &&
        settled.refusal.code === 'stale_version' &&
        paths.includes(String(settled.refusal.data?.path))
      if (isPassed && tries < PREPARE_TRIES) continue
      const named = asked.map((change) => change.path)
      await this.refusedCommit(actor, prepared, named, settled.refusal, input.request_id)
    }
  }

  /** An edit is worked out on the text that stands there, and its refusal quotes it. */
  private async assertEditable(actor: Actor, asked: readonly AskedChange[]): Promise<void> {
    for (const change of asked) {
      if (change.op !== 'edit' && change.op !== 'replace') continue
      const reader = this.reader(actor)
      await this.desk.audited(actor, 'commit', change, () => assertReadable(reader, change.path))
    }
  }

  private preparedNow(asked: readonly AskedChange[]): Prepared | undefined {
    const [only] = asked
    if (asked.length !== 1 || only?.op !== 'append' || only.text === undefined) return undefined
    if (this.busyPaths.has(only.path)) return undefined
    return prepareAppendNow(this.source(), only.path, Buffer.from(only.text, 'utf8'))
  }

  private async inTurn<T>(paths: readonly string[], task: () => Promise<T>): Promise<T> {
    const before = paths.map((path) => this.busyPaths.get(path))
    const turn = Promise.allSettled(before).then(task)
    for (const path of paths) this.busyPaths.set(path, turn)
    try {
      return await turn
    } finally {
      for (const path of paths) if (this.busyPaths.get(path) === turn) this.busyPaths.delete(path)
    }
  }

  private attempt(
    input: CommitTerms,
    actor: Actor,
    prepared: Prepared,
  ): { event: CommitEvent } | { again: number } | { refusal: Refusal } {
    // While its contents were made ready, the same request may have come and been decided.
    const again = this.desk.answered(actor, input.request_id)
    if (again !== undefined) return { again }
    if (this.desk.stream.overlay.isBehind) fail('server_full', DISK_FULL)
    const command = this.commitCommand(input, actor, prepared.changes)
    const step = this.desk.run(command, prepared.attachments)
    if (step.refusal !== undefined) return { refusal: step.refusal }
    const event = step.events[0] as CommitEvent
    for (const change of event.changes) {
      if (change.op === 'write') {
        this.desk.seen.saw(actor.session, change.id, event.revision, event.at)
      }
    }
    return { event }
  }

  private async decided(
    input: CommitTerms,
    actor: Actor,
    prepared: Prepared,
  ): Promise<CommitEvent> {
    const result = this.attempt(input, actor, prepared)
    if ('refusal' in result) {
      const paths = prepared.changes.map((change) => change.path)
      return this.refusedCommit(actor, prepared, paths, result.refusal, input.request_id)
    }
    return this.durableOf(result)
  }

  /** locks §39: whoever lost a lock keeps what it was about to write, for a while. */
  private async refusedCommit(
    actor: Actor,
    prepared: Prepared | undefined,
    paths: string[],
    refusal: Refusal,
    requestId: string | undefined,
  ): Promise<never> {
    const drafts: string[] = []
    let until = 0
    if (refusal.code === 'lock_lost') {
      for (const change of prepared?.changes ?? []) {
        if (change.kind !== 'write' || drafts.length >= LIMITS.holdersNamed) continue
        const attached = prepared?.attachments.filter((one) => one.sha256 === change.content.sha256)
        const command: KeepDraft = {
          kind: 'keep-draft',
          actor,
          path: change.path,
          lock: Number(String(refusal.data?.lock).slice(1)),
          base: change.onto ?? this.knownVersion(actor, change.path),
          content: change.content,
        }
        const [kept] = this.desk.run(command, attached).events
        if (kept?.kind !== 'draft-kept') continue
        drafts.push(`D${kept.revision}`)
        until = kept.until
      }
    }
    const [draft] = drafts
    if (draft === undefined) return this.desk.refused(actor, 'commit', paths, refusal, requestId)
    const detail = `${refusal.detail} What you sent is kept as draft ${drafts.join(', ')} until ${isoTime(until)}.`
    const told = { ...refusal, detail, data: { ...refusal.data, draft, drafts } }
    return this.desk.refused(actor, 'commit', paths, told, requestId)
  }

  /** What a session has last seen of a path: what a whole write of it is based on. */
  private knownVersion(actor: Actor, path: string): number {
    const { state } = this.desk.stream
    const { entry } = placeOf(state.records, path, state.settings.portable_names)
    if (entry?.kind !== 'file') return 0
    return this.desk.seen.of(actor.session, entry.id)?.version ?? 0
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
    assertReadable(this.reader(actor), draft.path)
    if (draft.id > durable) await this.desk.stream.settled(draft.id)
    return { value: draftFacts(draft), content: contentOf(overlay, this.blobs, draft) }
  }

  private async durableOf(
    decided: { event: CommitEvent } | { again: number },
  ): Promise<CommitEvent> {
    if ('again' in decided) return this.desk.answerAgain(decided.again, ['files-committed'])
    await this.desk.stream.settled(decided.event.revision)
    return decided.event
  }

  private commitCommand(input: CommitTerms, actor: Actor, changes: Commit['changes']): Commit {
    const locks = (input.locks ?? []).map((token) => {
      const lock = this.desk.tokens.verify(token)
      if (lock === undefined) {
        fail(
          'invalid_request',
          'A lock token is not one of this workspace. Pass the token that acquire gave.',
          {
            fields: [{ field: 'locks', fault: 'not a token of this workspace' }],
          },
        )
      }
      return lock
    })
    const { release = false, message, run, request_id } = input
    return { kind: 'commit', actor, changes, locks, release, message, run, requestId: request_id }
  }

  private source() {
    return { state: this.desk.stream.state, overlay: this.desk.stream.overlay, blobs: this.blobs }
  }

  private async committedAgain(
    actor: Actor,
    requestId: string | undefined,
  ): Promise<CommitEvent | undefined> {
    const known = this.desk.answered(actor, requestId)
    if (known === undefined) return undefined
    return this.desk.answerAgain(known, ['files-committed'])
  }
}

type CommitEvent = Extract<Event, { kind: 'files-committed' }>

interface CommitTerms {
  locks?: string[] | undefined
  release?: boolean | undefined
  message?: string | undefined
  run?: string | undefined
  request_id?: string | undefined
}

/** What is worked out on the newest version. */
const ON_NEWEST: ReadonlySet<string> = new Set(['append', 'edit', 'replace'])

/** What must be so at the decision, besides what an append or edit needs itself. */
interface Conditions {
  ifVersion?: number | undefined
  ifNone?: boolean | undefined
}

function withConditions(prepared: Prepared, conditions: Conditions): Prepared {
  const changes = prepared.changes.map((change) =>
    change.kind === 'write' && change.how !== 'write' ? { ...change, ...conditions } : change,
  )
  return { ...prepared, changes }
}

/** An append that is passed by whole writes this often in a row gives up and says so. */
const PREPARE_TRIES = 100

function writtenOf(event: CommitEvent, path: string): Output<'commit'>['files'][number] {
  return writtenReply(event).find((file) => file.path === path) ?? { path, version: event.revision }
}

function isNew(event: CommitEvent, path: string): boolean {
  return event.changes.some(
    (change) => change.op === 'write' && change.path === path && change.created === true,
  )
}

function writeAnswer(event: CommitEvent, path: string): Output<'write_file'> {
  return { ...writtenOf(event, path), created: isNew(event, path) }
}
