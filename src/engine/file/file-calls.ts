import { fail, type Refusal, refuse } from '../../contract/errors.ts'
import type { EventOf } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { isoTime } from '../../contract/time.ts'
import type { Actor, Commit, CommitChange, ContentFacts, KeepDraft } from '../../core/command.ts'
import { decide } from '../../core/decide.ts'
import { isOfFile, taken } from '../../core/file/permit.ts'
import { placeOf } from '../../core/file/place.ts'
import { MODE } from '../../core/lock/mode.ts'
import type { Blobs } from '../../store/blobs.ts'
import type { EditThread } from '../../text/edit-thread.ts'
import type { Desk } from '../desk.ts'
import { DISK_FULL } from '../stream/storage-refusal.ts'
import { type Committed, committed, writtenRow } from './commit-answer.ts'
import { stage } from './contents.ts'
import { Overlaps } from './overlapping-writes.ts'
import {
  type AskedChange,
  type ChangeSource,
  type Prepared,
  prepareAppendNow,
  prepareChanges,
} from './prepare-changes.ts'
import { assertReadable, fileAt, readerOf } from './query.ts'

/** The operations on files: contents made safe, commits decided, answers out of facts. */
export class FileCalls {
  private readonly desk: Desk
  private readonly blobs: Blobs
  private readonly texts: EditThread
  private readonly busyPaths = new Map<string, Promise<unknown>>()
  private readonly overlaps: Overlaps

  constructor(desk: Desk, blobs: Blobs, texts: EditThread) {
    this.desk = desk
    this.overlaps = new Overlaps((session, notice) => desk.tell(session, notice))
    this.blobs = blobs
    this.texts = texts
  }

  write(
    input: Parsed<'write_file'>,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  ): Promise<Output<'write_file'>> {
    return this.overlapping(actor, input.path, true, () => this.written(input, actor, content))
  }

  patch(input: Parsed<'patch_file'>, actor: Actor): Promise<Output<'patch_file'>> {
    return this.overlapping(actor, input.path, false, () => this.patched(input, actor))
  }

  private overlapping<T>(
    actor: Actor,
    path: string,
    isWhole: boolean,
    write: () => Promise<T>,
  ): Promise<T> {
    if (actor.unnamed === true) return write()
    const { session } = actor
    return this.overlaps.during({ session, path, isWhole }, () => this.desk.clock.now(), write)
  }

  private async written(
    input: Parsed<'write_file'>,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  ): Promise<Output<'write_file'>> {
    const { path } = input
    const asked: AskedChange[] = [{ op: 'write', path }]
    const again = await this.committedAgain(actor, asked, input.request_id)
    if (again !== undefined) return writtenRow(again, path)
    const isSmall =
      content === undefined ||
      (content instanceof Uint8Array && content.length <= LIMITS.smallContentBytes)
    if (!isSmall) await this.assertWritable(input, actor)
    const limit = this.desk.stream.state.settings.file_bytes
    const staged = await stage(content ?? new Uint8Array(), this.blobs, limit)
    const change = wholeWrite(input, { sha256: staged.sha256, size: staged.size })
    const attachments = staged.attachment === undefined ? [] : [staged.attachment]
    const prepared = { changes: [change], attachments, diffs: [] }
    // In the same turn as the decision, so nothing comes between.
    const missing = input.if_exists === true ? this.missing(input, actor, change) : undefined
    if (missing !== undefined) return this.desk.refused(actor, 'write_file', [path], missing)
    return writtenRow(await this.decided(input, actor, asked, prepared), path)
  }

  /** Why a write that is to replace a file cannot: there is none. Who may not write is told that. */
  private missing(
    input: Parsed<'write_file'>,
    actor: Actor,
    change: CommitChange,
  ): Refusal | undefined {
    const { path } = input
    const { records, settings } = this.desk.stream.state
    if (placeOf(records, path, settings.portable_names).entry?.kind === 'file') return undefined
    const refusal = this.refusalOf(input, actor, change)
    const detail = `There is no file at ${path}, and this write was to replace one. Nothing was written.`
    return refusal ?? refuse('stale_version', detail, { path, current: 0 })
  }

  /** A large upload is refused before it is sent, where that is known already. */
  private async assertWritable(input: Parsed<'write_file'>, actor: Actor): Promise<void> {
    const change = wholeWrite(input, { sha256: '', size: 0 })
    const refusal = this.refusalOf(input, actor, change)
    // Whoever lost its lock may still send it: it is kept as a draft.
    if (refusal === undefined || refusal.code === 'lock_lost') return
    await this.desk.refused(actor, 'write_file', [input.path], refusal)
  }

  /** What the decision would say now; nothing comes of it. */
  private refusalOf(
    input: Parsed<'write_file'>,
    actor: Actor,
    change: CommitChange,
  ): Refusal | undefined {
    const command = this.commitCommand(input, actor, [change])
    return decide(this.desk.stream.state, command, this.desk.moment()).refusal
  }

  private async patched(input: Parsed<'patch_file'>, actor: Actor): Promise<Output<'patch_file'>> {
    const { path, append, edits, replace, create = true, dry_run } = input
    if ([append, edits, replace].filter((one) => one !== undefined).length !== 1) {
      fail('invalid_request', 'Give one of "append", "edits" and "replace".')
    }
    if (dry_run === true) return this.preview(input, actor)
    const askedAgain = [{ op: 'append' as const, path }]
    const again = await this.committedAgain(actor, askedAgain, input.request_id)
    if (again !== undefined) return writtenRow(again, path)
    if (append !== undefined && !create) fileAt(readerOf(this.desk, actor), path, undefined)
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
    const { result, prepared } = await this.changed(input, actor, [asked], conditions, true)
    const [diff] = prepared.diffs
    return { ...writtenRow(result, path), ...optional('diff', diff) }
  }

  /** What edits would come to. */
  private async preview(
    { path, edits }: Parsed<'patch_file'>,
    actor: Actor,
  ): Promise<Output<'patch_file'>> {
    if (edits === undefined) {
      fail('invalid_request', 'Only "edits" can be tried with dry_run. Nothing was written.', {
        fields: [{ field: 'dry_run', fault: 'not with "append" or "replace"' }],
      })
    }
    const asked = [{ op: 'edit' as const, path, edits }]
    await this.assertEditable(actor, asked)
    const { sha256 } = fileAt(readerOf(this.desk, actor), path, undefined)
    const { changes, diffs } = await prepareChanges(this.source(), asked, true)
    const [change] = changes as (CommitChange & { kind: 'write' })[]
    return {
      path,
      version: change?.onto ?? 0,
      ...optional('diff', diffs[0]),
      dry_run: true,
      ...(change?.content.sha256 === sha256 ? { unchanged: true } : {}),
    }
  }

  /** The one range of a file that a session holds, where it lies now. */
  private ownRange(path: string, actor: Actor): { start: number; end?: number } {
    const owner = this.desk.stream.state.locks.owners.get(actor.session)
    const { folded } = taken(this.desk.stream.state.locks, path, MODE.W)
    const ranges = [...(owner?.locks ?? [])].flatMap((lock) =>
      lock.items.filter((item) => item.folded === folded && item.range !== undefined),
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
    const asked: AskedChange[] = [{ op: 'delete', path }]
    const prepared: Prepared = {
      changes: [{ kind: 'delete', path, recursive, ifVersion: if_version }],
      attachments: [],
      diffs: [],
    }
    const { revision } =
      (await this.committedAgain(actor, asked, input.request_id)) ??
      (await this.decided(input, actor, asked, prepared))
    return { path, version: revision }
  }

  async commit(input: Parsed<'commit'>, actor: Actor): Promise<Output<'commit'>> {
    const { changes } = input
    const again = await this.committedAgain(actor, changes, input.request_id)
    const result = again ?? (await this.changed(input, actor, changes)).result
    const { revision, files, unchanged } = result
    return { revision, files, ...(unchanged ? { unchanged } : {}) }
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
    withDiff = false,
  ): Promise<{ result: Committed; prepared: Prepared }> {
    await this.assertEditable(actor, asked)
    const onNewest = asked.filter((change) => ON_NEWEST.has(change.op))
    const now = this.preparedNow(asked)
    if (now !== undefined) {
      const result = await this.decided(input, actor, asked, withConditions(now, conditions))
      return { result, prepared: now }
    }
    const paths = onNewest.map((change) => change.path)
    for (let tries = 1; ; tries++) {
      let prepared: Prepared | undefined
      const settled = await this.inTurn(paths, async () => {
        const made = await prepareChanges(this.source(), asked, withDiff)
        prepared = withConditions(made, conditions)
        return this.attempt(input, actor, asked, prepared)
      })
      if (!('refusal' in settled)) {
        const result = await this.durableOf(asked, settled)
        return { result, prepared: prepared as unknown as Prepared }
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
      const reader = readerOf(this.desk, actor)
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
    asked: readonly AskedChange[],
    prepared: Prepared,
  ): Attempt {
    // While its contents were made ready, the same request may have come and been decided.
    const again = this.desk.answered(actor, input.request_id)
    if (again !== undefined) return { again }
    if (this.desk.stream.overlay.isBehind) fail('server_full', DISK_FULL)
    const command = this.commitCommand(input, actor, prepared.changes)
    const step = this.desk.run(command, prepared.attachments)
    if (step.refusal !== undefined) return { refusal: step.refusal }
    const event = step.events.find((one) => one.kind === 'files-committed')
    const { stream } = this.desk
    const result = committed(stream.state, asked, event, stream.lastFact)
    this.noteWritten(actor, prepared.changes, event, result)
    this.claimUsed(actor, event?.changes ?? prepared.changes)
    return { result, decidedOn: stream.lastFact }
  }

  /**
   * What a caller has written whole it knows, also where the file held just that before; what it
   * appended to or edited only if it knew the version before, and as well as it did, for it saw nothing
   * of the rest (files §9).
   */
  private noteWritten(
    actor: Actor,
    asked: readonly CommitChange[],
    event: EventOf<'files-committed'> | undefined,
    { left }: Committed,
  ): void {
    if (actor.unnamed === true) return
    const { seen, clock } = this.desk
    for (const change of event?.changes ?? []) {
      if (change.op !== 'write' || event === undefined) continue
      const before = seen.of(actor.session, change.id)
      const isKnown = change.base === 0 || before?.version === change.base
      const isOnKnown = isKnown && (change.how === 'append' || change.how === 'edit')
      if (change.how !== 'write' && !isOnKnown) continue
      const inexact = isOnKnown ? before?.inexact : undefined
      seen.saw(actor.session, change.id, event.revision, event.at, inexact)
    }
    if (left.length === 0) return
    const wholes = new Set(
      asked.flatMap((one) => (one.kind === 'write' && one.how === 'write' ? [one.path] : [])),
    )
    for (const { path, id, version } of left) {
      if (wholes.has(path)) seen.saw(actor.session, id, version, clock.now())
    }
  }

  /** Who writes under a lock that was granted between its calls knows of it (locks §10). */
  private claimUsed(actor: Actor, changes: readonly { path: string }[]): void {
    const { leases, stream, clock } = this.desk
    const { locks } = stream.state
    for (const lock of locks.owners.get(actor.session)?.locks ?? []) {
      if (!leases.isUnclaimed(lock.id)) continue
      const isUsed = changes.some(({ path }) => isOfFile(lock, taken(locks, path, MODE.W)))
      if (isUsed) leases.claim(lock.id, clock.now())
    }
  }

  private async decided(
    input: CommitTerms,
    actor: Actor,
    asked: readonly AskedChange[],
    prepared: Prepared,
  ): Promise<Committed> {
    const result = this.attempt(input, actor, asked, prepared)
    if ('refusal' in result) {
      const paths = prepared.changes.map((change) => change.path)
      return this.refusedCommit(actor, prepared, paths, result.refusal, input.request_id)
    }
    return this.durableOf(asked, result)
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

  private async durableOf(
    asked: readonly AskedChange[],
    decided: Exclude<Attempt, { refusal: Refusal }>,
  ): Promise<Committed> {
    if ('again' in decided) return this.answeredBy(asked, decided.again)
    await this.desk.stream.settled(decided.decidedOn)
    return decided.result
  }

  private async answeredBy(asked: readonly AskedChange[], revision: number): Promise<Committed> {
    const event = await this.desk.answerAgain(revision, ['files-committed'])
    return committed(this.desk.stream.state, asked, event, revision)
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

  private source(): ChangeSource {
    const { stream, clock } = this.desk
    return {
      state: stream.state,
      overlay: stream.overlay,
      blobs: this.blobs,
      texts: this.texts,
      soon: (callback) => clock.soon(callback),
    }
  }

  private async committedAgain(
    actor: Actor,
    asked: readonly AskedChange[],
    requestId: string | undefined,
  ): Promise<Committed | undefined> {
    const known = this.desk.answered(actor, requestId)
    return known === undefined ? undefined : this.answeredBy(asked, known)
  }
}

type Attempt = { result: Committed; decidedOn: number } | { again: number } | { refusal: Refusal }

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

function wholeWrite(
  { path, if_version, if_none }: Parsed<'write_file'>,
  content: ContentFacts,
): CommitChange {
  return { kind: 'write', how: 'write', path, content, ifVersion: if_version, ifNone: if_none }
}

function withConditions(prepared: Prepared, conditions: Conditions): Prepared {
  const changes = prepared.changes.map((change) =>
    change.kind === 'write' && change.how !== 'write' ? { ...change, ...conditions } : change,
  )
  return { ...prepared, changes }
}

/** An append that is passed by whole writes this often in a row gives up and says so. */
const PREPARE_TRIES = 100
