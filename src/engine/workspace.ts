import { fail, problemOf, type Refusal, refuse, SluiceError } from '../contract/errors.ts'
import type { Event } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import type { OperationName, Output, Parsed } from '../contract/operations.ts'
import { isoTime } from '../contract/time.ts'
import type { AcquireLock, Actor, Command, Commit, Moment } from '../core/command.ts'
import { decide } from '../core/decide.ts'
import { lostRefusal } from '../core/file/permit.ts'
import type { Lock, Ticket } from '../core/lock/table.ts'
import { refusalDraft, type Step } from '../core/step.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Attachment } from '../store/ledger.ts'
import type { Answer, Content } from './api.ts'
import { queryAudit, verifyAudit } from './audit.ts'
import { type AskedChange, type Prepared, prepareAppendNow, prepareChanges } from './change.ts'
import type { Clock } from './clock.ts'
import { contentOf, stage } from './contents.ts'
import { LeaseTable } from './lease.ts'
import { fileAt, getEntry, getHistory, listLocks, type Reader, workspaceStatus } from './query.ts'
import { RefusalCounter } from './refusals.ts'
import {
  fileFacts,
  grantedReply,
  holderOf,
  LockTokens,
  lockFacts,
  queuedReply,
  writtenReply,
} from './reply.ts'
import { SeenVersions } from './seen.ts'
import { type Stream, StreamFailed } from './stream.ts'
import { TicketWaits } from './wait.ts'

/**
 * One workspace at work: its stream, and around it what is not a fact (leases, seen versions, waiting
 * calls). Turns operations into commands and facts into answers.
 *
 * An answer leaves only when what it says is durable: a fact's own sync, or for refusals and reads the
 * sync of whatever they were decided on.
 */
export class Workspace {
  readonly stream: Stream
  readonly leases: LeaseTable
  private readonly blobs: Blobs
  private readonly clock: Clock
  private readonly tokens: LockTokens
  private readonly seen = new SeenVersions()
  private readonly refusals = new RefusalCounter()
  private readonly waits: TicketWaits
  private readonly busyPaths = new Map<string, Promise<unknown>>()
  private readonly about: (session: string) => Record<string, string> | undefined
  private stopTimer: () => void = () => {}
  private isClosed = false

  constructor(
    stream: Stream,
    blobs: Blobs,
    clock: Clock,
    secret: Uint8Array,
    about: (session: string) => Record<string, string> | undefined,
  ) {
    this.stream = stream
    this.blobs = blobs
    this.clock = clock
    this.about = about
    this.tokens = new LockTokens(secret, stream.name)
    this.waits = new TicketWaits(clock)
    this.leases = new LeaseTable(clock.now())
    const restart = (): void => {
      this.leases.restart(stream.state.locks.locks.values(), clock.now())
      this.waits.wakeAll()
    }
    restart()
    stream.onReload(restart)
    stream.listen((events) => this.follow(events))
    this.tick()
  }

  /** Locks whose time is up, and refusals that were only counted. */
  private tick(): void {
    if (this.isClosed) return
    this.stopTimer = this.clock.after(TICK_MS, () => this.tick())
    const now = this.clock.now()
    const counted = this.refusals.isEmpty ? [] : this.refusals.drain(now)
    const due = this.leases.due(now)
    try {
      if (counted.length > 0) this.run({ kind: 'record-refusals', refusals: counted })
      if (due.length > 0) this.run({ kind: 'expire-locks', locks: due })
    } catch (error) {
      // The stream is being read again; the next tick finds the same locks.
      if (!(error instanceof StreamFailed)) throw error
    }
  }

  private follow(events: readonly Event[]): void {
    const now = this.clock.now()
    for (const lock of this.waits.follow(events)) this.leases.awaitClaim(lock, now)
  }

  /** Decides a command now. The events are not durable yet. */
  private run(command: Command, contents: readonly Attachment[] = []): Step {
    const moment = this.moment()
    const step = this.stream.run(command, moment, contents)
    for (const event of step.events) {
      this.leases.follow(event, this.stream.state.locks.locks, moment.at)
    }
    return step
  }

  private moment(): Moment {
    return {
      at: this.clock.now(),
      seen: (session, file) => this.seen.of(session, file),
      expiresAt: (lock) => this.leases.expiresAt(lock),
    }
  }

  /** The session ended somewhere else: its locks and tickets go, and the next in line are granted. */
  async endSession(
    session: string,
    reason: 'ended' | 'disconnected' | 'idle' | 'agent-removed',
  ): Promise<void> {
    const step = this.run({ kind: 'end-session', session, reason })
    this.seen.forget(session)
    this.leases.forgetSession(session)
    const last = step.events.at(-1)
    if (last !== undefined) await this.stream.settled(last.revision)
  }

  async set(command: Extract<Command, { kind: 'set-workspace' }>): Promise<void> {
    const step = this.run(command)
    if (step.refusal !== undefined)
      await this.refused(command.actor, 'put_workspace', [], step.refusal)
    await this.stream.settled(this.stream.lastFact)
  }

  holdsAnything(session: string): boolean {
    const owner = this.stream.state.locks.owners.get(session)
    return owner !== undefined && (owner.locks.size > 0 || owner.tickets.size > 0)
  }

  async call<N extends OperationName>(
    operation: N,
    input: Parsed<N>,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Answer<N>> {
    this.leases.heard(actor.session, this.clock.now())
    if (this.stream.backlog > LIMITS.pendingCommands) {
      fail('overloaded', 'Too many commands wait for the disk. Try again in a second.', {
        retry_after_s: 1,
      })
    }
    try {
      const answer = await this.dispatch(operation, input as never, actor, content, signal)
      return { ...answer, revision: this.stream.durable } as Answer<N>
    } catch (error) {
      throw this.translated(error)
    }
  }

  private dispatch(
    operation: OperationName,
    input: never,
    actor: Actor,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ value: unknown; content?: Content }> {
    switch (operation) {
      case 'acquire_lock':
        return valued(this.acquire(input, actor, signal))
      case 'wait_for_lock':
        return valued(this.waitForLock(input, actor, signal))
      case 'release_lock':
        return valued(this.release(input, actor))
      case 'release_all_locks':
        return valued(this.releaseAll(actor))
      case 'leave_queue':
        return valued(this.leaveQueue(input, actor))
      case 'renew_lock':
        return valued(this.renew(input, actor))
      case 'write_file':
        return valued(this.write(input, actor, content))
      case 'patch_file':
        return valued(this.patch(input, actor))
      case 'delete_file':
        return valued(this.delete(input, actor))
      case 'commit':
        return valued(this.commit(input, actor))
      case 'read_file':
        return this.read(input, actor)
      default:
        return valued(this.query(operation, input, actor))
    }
  }

  private async query(operation: OperationName, input: never, actor: Actor): Promise<unknown> {
    const reader = this.reader(actor)
    // Nothing is shown that could still be lost.
    await this.stream.settled(this.stream.lastFact)
    switch (operation) {
      case 'get_entry':
        return this.audited(actor, operation, input, () => getEntry(reader, input))
      case 'get_history':
        return this.audited(actor, operation, input, () => getHistory(reader, input))
      case 'list_locks':
        return listLocks(reader, input)
      case 'get_lock':
        return { lock: lockFacts(this.lockOf((input as Parsed<'get_lock'>).id), reader.moment) }
      case 'workspace_status':
        return workspaceStatus(reader)
      case 'query_audit':
        return queryAudit(this.stream, actor, input, this.about)
      case 'verify_audit':
        if (actor.role === 'agent') fail('forbidden', 'Only supervisors may verify the audit.')
        return verifyAudit(this.stream)
      default:
        throw new Error(`The operation ${operation} is not one of a workspace.`)
    }
  }

  private reader(actor: Actor): Reader {
    return { state: this.stream.state, actor, moment: this.moment() }
  }

  // ── locks ────────────────────────────────────────────────────────────────────────────────────

  private async acquire(
    input: Parsed<'acquire_lock'>,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const command = acquireCommand(input, actor)
    const paths = command.items.map((item) => item.path)
    const known = this.answered(actor, input.request_id)
    if (known !== undefined) return this.acquireAgain(known, input, actor, signal)
    const step = this.run(command)
    if (step.refusal !== undefined) {
      return this.refused(actor, 'acquire_lock', paths, step.refusal, input.request_id)
    }
    if (step.held !== undefined) {
      await this.stream.settled(this.stream.lastFact)
      return this.granted(step.held, true)
    }
    if (step.waiting !== undefined) return this.waited(step.waiting, input.wait, signal)
    const event = step.events[0] as Event
    await this.stream.settled(event.revision)
    return this.acquireAnswer(event, input.wait, signal)
  }

  private async acquireAgain(
    known: Event,
    input: Parsed<'acquire_lock'>,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    await this.stream.settled(known.revision)
    if (known.kind === 'command-refused') return this.refusedAgain(known)
    this.assertSame(known, ['lock-acquired', 'lock-raised', 'lock-queued'])
    this.leases.heard(actor.session, this.clock.now())
    return this.acquireAnswer(known, input.wait, signal)
  }

  /** The answer to an acquire is a function of its fact (locks §11: a retry gets the same). */
  private async acquireAnswer(
    event: Event,
    waitS: number,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const { locks } = this.stream.state
    if (event.kind === 'lock-queued') {
      const ticket = locks.tickets.get(event.revision)
      if (ticket !== undefined) return this.waited(ticket, waitS, signal)
      return this.ticketAnswer(event.revision)
    }
    const id = event.kind === 'lock-raised' ? event.lock : event.revision
    const lock = locks.locks.get(id) ?? locks.ended.get(id)?.lock
    if (lock === undefined) throw new SluiceError(problemOf(lostRefusal(this.stream.state, id)))
    return this.granted(lock, false)
  }

  private async waited(
    ticket: Ticket,
    waitS: number,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    await this.waits.wait(ticket.id, waitS * 1000, signal)
    return this.ticketAnswer(ticket.id)
  }

  private async ticketAnswer(id: number): Promise<Output<'acquire_lock'>> {
    await this.stream.settled(this.stream.lastFact)
    const { locks } = this.stream.state
    const lock = locks.byTicket.get(id)
    if (lock !== undefined) {
      this.leases.claim(lock.id, this.clock.now())
      return this.granted(lock, false)
    }
    const ticket = locks.tickets.get(id)
    if (ticket !== undefined) return queuedReply(locks, ticket, this.moment())
    return fail(
      'ticket_gone',
      `The ticket T${id} is gone: it was given up, or its lock was granted and ended since. ` +
        'Acquire the lock again.',
      { ticket: `T${id}` },
    )
  }

  private async waitForLock(
    input: Parsed<'wait_for_lock'>,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'wait_for_lock'>> {
    const id = Number(input.ticket.slice(1))
    const { locks } = this.stream.state
    const ticket = locks.tickets.get(id)
    const owner = (ticket ?? locks.byTicket.get(id))?.owner
    if (owner !== undefined && owner.session !== actor.session) {
      fail('forbidden', `${input.ticket} belongs to ${owner.agent}, not to you.`)
    }
    if (ticket !== undefined) return this.waited(ticket, input.wait, signal)
    return this.ticketAnswer(id)
  }

  private granted(lock: Lock, alreadyHeld: boolean): Output<'acquire_lock'> {
    return grantedReply(lock, this.tokens.of(lock.id), this.moment(), alreadyHeld)
  }

  private async release(
    input: Parsed<'release_lock'>,
    actor: Actor,
  ): Promise<Output<'release_lock'>> {
    const lock = Number(input.id.slice(1))
    const { force = false, reason } = input
    const paths = this.stream.state.locks.locks.get(lock)?.items.map((item) => item.path) ?? []
    const step = this.run({ kind: 'release-lock', actor, lock, force, reason })
    if (step.refusal !== undefined) {
      return this.refused(actor, 'release_lock', paths, step.refusal, input.request_id)
    }
    const last = step.events.at(-1)
    if (last === undefined) return { released: false }
    await this.stream.settled(last.revision)
    return { released: true }
  }

  private async releaseAll(actor: Actor): Promise<Output<'release_all_locks'>> {
    const { events } = this.run({ kind: 'release-all', actor })
    const last = events.at(-1)
    if (last !== undefined) await this.stream.settled(last.revision)
    const own = events.filter((event) => event.session === actor.session)
    return {
      released: own.filter((event) => event.kind === 'lock-released').length,
      left: own.filter((event) => event.kind === 'ticket-left').length,
    }
  }

  private async leaveQueue(
    input: Parsed<'leave_queue'>,
    actor: Actor,
  ): Promise<Output<'leave_queue'>> {
    const step = this.run({ kind: 'leave-queue', actor, ticket: Number(input.ticket.slice(1)) })
    if (step.refusal !== undefined) return this.refused(actor, 'leave_queue', [], step.refusal)
    const last = step.events.at(-1)
    if (last !== undefined) await this.stream.settled(last.revision)
    return { left: last !== undefined }
  }

  private async renew(input: Parsed<'renew_lock'>, actor: Actor): Promise<Output<'renew_lock'>> {
    const lock = this.lockOf(input.id)
    if (lock.owner.session !== actor.session) {
      fail('forbidden', `${input.id} belongs to ${lock.owner.agent}, not to you.`)
    }
    const now = this.clock.now()
    this.leases.claim(lock.id, now)
    this.leases.renew(lock.id, now)
    await this.stream.settled(this.stream.lastFact)
    return { lock: lockFacts(lock, this.moment()), server_time: isoTime(now) }
  }

  private lockOf(id: string): Lock {
    const lock = this.stream.state.locks.locks.get(Number(id.slice(1)))
    if (lock !== undefined) return lock
    throw new SluiceError(problemOf(lostRefusal(this.stream.state, Number(id.slice(1)))))
  }

  // ── files ────────────────────────────────────────────────────────────────────────────────────

  private async read(
    input: Parsed<'read_file'>,
    actor: Actor,
  ): Promise<{ value: Output<'read_file'>; content: Content }> {
    const reader = this.reader(actor)
    const { path, at } = input
    const entry = await this.audited(actor, 'read_file', input, () => fileAt(reader, path, at))
    const content = contentOf(this.stream.overlay, this.blobs, entry)
    const value = fileFacts(path, entry, holderOf(reader.state.locks, path, reader.moment))
    // The newest version may not be durable yet; it is shown when it is.
    if (entry.version > this.stream.durable) await this.stream.settled(entry.version)
    if (at === undefined) this.seen.saw(actor.session, entry.id, entry.version, this.clock.now())
    return { value, content }
  }

  private async write(
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
      const limit = this.stream.state.settings.file_bytes
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
      const event = await this.decided(input, actor, { changes: [change], attachments, diffs: [] })
      return writeAnswer(event, path)
    }
    return writeAnswer(again, path)
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
    const { refusal } = decide(this.stream.state, command, this.moment())
    if (refusal !== undefined) await this.refused(actor, 'write_file', [input.path], refusal)
  }

  private async patch(input: Parsed<'patch_file'>, actor: Actor): Promise<Output<'patch_file'>> {
    const { path, append, edits, create = true, dry_run, if_version } = input
    if ((append === undefined) === (edits === undefined)) {
      fail('invalid_request', 'Give either "append" or "edits".')
    }
    if (dry_run === true && edits !== undefined) {
      const { diffs } = await prepareChanges(this.source(), [{ op: 'edit', path, edits }])
      const entry = fileAt(this.reader(actor), path, undefined)
      return { path, version: entry.version, diff: diffs[0] as string, dry_run: true }
    }
    const again = await this.committedAgain(actor, input.request_id)
    if (again !== undefined) return { ...writtenOf(again, path), created: isNew(again, path) }
    if (append !== undefined && !create) fileAt(this.reader(actor), path, undefined)
    if (if_version !== undefined) {
      const current = fileAt(this.reader(actor), path, undefined).version
      if (current !== if_version) {
        await this.refused(
          actor,
          'patch_file',
          [path],
          refuse(
            'stale_version',
            `${path} is at version ${current}, you gave ${if_version}. Read it again.`,
            { path, yours: if_version, current },
          ),
        )
      }
    }
    const { event, prepared } = await this.changed(input, actor, [
      append === undefined
        ? { op: 'edit', path, edits: edits as NonNullable<typeof edits> }
        : { op: 'append', path, text: append },
    ])
    const [diff] = prepared.diffs
    return {
      ...writtenOf(event, path),
      created: isNew(event, path),
      ...(diff === undefined ? {} : { diff }),
    }
  }

  private async delete(input: Parsed<'delete_file'>, actor: Actor): Promise<Output<'delete_file'>> {
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

  private async commit(input: Parsed<'commit'>, actor: Actor): Promise<Output<'commit'>> {
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
  ): Promise<{ event: CommitEvent; prepared: Prepared }> {
    const onNewest = asked.filter((change) => change.op === 'append' || change.op === 'edit')
    const now = this.preparedNow(asked)
    if (now !== undefined) return { event: await this.decided(input, actor, now), prepared: now }
    const paths = onNewest.map((change) => change.path)
    for (let tries = 1; ; tries++) {
      let prepared: Prepared | undefined
      const settled = await this.inTurn(paths, async () => {
        prepared = await prepareChanges(this.source(), asked)
        return this.attempt(input, actor, prepared)
      })
      if (!('refusal' in settled)) {
        await this.stream.settled(settled.event.revision)
        return { event: settled.event, prepared: prepared as unknown as Prepared }
      }
      const isPassed =
        settled.refusal.code === 'stale_version' &&
        paths.includes(String(settled.refusal.data?.path))
      if (isPassed && tries < PREPARE_TRIES) continue
      await this.refused(
        actor,
        'commit',
        asked.map((change) => change.path),
        settled.refusal,
        input.request_id,
      )
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
  ): { event: CommitEvent } | { refusal: Refusal } {
    const command = this.commitCommand(input, actor, prepared.changes)
    const step = this.run(command, prepared.attachments)
    if (step.refusal !== undefined) return { refusal: step.refusal }
    return { event: step.events[0] as CommitEvent }
  }

  private async decided(
    input: CommitTerms,
    actor: Actor,
    prepared: Prepared,
  ): Promise<CommitEvent> {
    const result = this.attempt(input, actor, prepared)
    if ('refusal' in result) {
      const paths = prepared.changes.map((change) => change.path)
      return this.refused(actor, 'commit', paths, result.refusal, input.request_id)
    }
    await this.stream.settled(result.event.revision)
    return result.event
  }

  private commitCommand(input: CommitTerms, actor: Actor, changes: Commit['changes']): Commit {
    const locks = (input.locks ?? []).map((token) => {
      const lock = this.tokens.verify(token)
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
    return { state: this.stream.state, overlay: this.stream.overlay, blobs: this.blobs }
  }

  // ── answers ──────────────────────────────────────────────────────────────────────────────────

  private answered(actor: Actor, requestId: string | undefined): Event | undefined {
    if (requestId === undefined) return undefined
    return this.stream.state.answers.get(actor.session)?.get(requestId)
  }

  private async committedAgain(
    actor: Actor,
    requestId: string | undefined,
  ): Promise<CommitEvent | undefined> {
    const known = this.answered(actor, requestId)
    if (known === undefined) return undefined
    await this.stream.settled(known.revision)
    if (known.kind === 'command-refused') return this.refusedAgain(known)
    this.assertSame(known, ['files-committed'])
    return known as CommitEvent
  }

  private assertSame(known: Event, kinds: readonly Event['kind'][]): void {
    if (kinds.includes(known.kind)) return
    fail('invalid_request', 'This request_id answered a different call before. Use a new one.', {
      fields: [{ field: 'request_id', fault: 'used before' }],
    })
  }

  private refusedAgain(event: Extract<Event, { kind: 'command-refused' }>): never {
    const code = event.code as Refusal['code']
    throw new SluiceError(problemOf(refuse(code, event.detail, event.problem)))
  }

  /** Records a refusal and throws it; nobody waits for the sync of its record. */
  private async refused(
    actor: Actor,
    command: string,
    paths: string[],
    refusal: Refusal,
    requestId?: string,
  ): Promise<never> {
    const decidedOn = this.stream.lastFact
    const at = this.clock.now()
    if (!this.refusals.count(actor, command, paths, refusal, requestId, at)) {
      this.stream.record(refusalDraft(command, actor, paths, refusal, requestId), at)
    }
    await this.stream.settled(decidedOn)
    throw new SluiceError(problemOf(refusal))
  }

  /** Reads are not decided, but one that a right or a hold forbids belongs in the audit. */
  private async audited<T>(
    actor: Actor,
    operation: string,
    input: { path?: string },
    read: () => T,
  ): Promise<T> {
    try {
      return read()
    } catch (error) {
      if (error instanceof SluiceError && (error.code === 'forbidden' || error.code === 'locked')) {
        const { code, detail, holders } = error.problem
        const data = holders === undefined ? {} : { holders }
        return this.refused(actor, operation, [input.path ?? '/'], refuse(code, detail, data))
      }
      throw error
    }
  }

  private translated(error: unknown): unknown {
    if (!(error instanceof StreamFailed)) return error
    const cause = error.cause as NodeJS.ErrnoException & { errcode?: number }
    // SQLITE_FULL is 13; the file system says ENOSPC.
    const isFull = cause.code === 'ENOSPC' || cause.errcode === 13
    const refusal = isFull
      ? refuse(
          'server_full',
          'The disk is full. Nothing was written. Try again when there is room.',
        )
      : refuse('overloaded', 'The write could not be stored. Nothing was changed. Try again.', {
          retry_after_s: 1,
        })
    return new SluiceError(problemOf(refusal))
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.stopTimer()
    this.waits.wakeAll()
    const counted = this.refusals.drain(Number.POSITIVE_INFINITY)
    if (counted.length > 0) this.run({ kind: 'record-refusals', refusals: counted })
    await this.stream.close()
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

/** How finely time is looked at: a lock ends at most this much after its TTL. */
const TICK_MS = 200
/** An append that is passed by whole writes this often in a row gives up and says so. */
const PREPARE_TRIES = 100

async function valued<T>(value: Promise<T>): Promise<{ value: T }> {
  return { value: await value }
}

function acquireCommand(input: Parsed<'acquire_lock'>, actor: Actor): AcquireLock {
  const { path, items, scope, stable, if_version, ttl, wait, queue, request_id } = input
  if ((path === undefined) === (items === undefined)) {
    fail('invalid_request', 'Give either "path" or "items".', {
      fields: [{ field: 'path', fault: 'either path or items' }],
    })
  }
  if (input.level !== undefined && input.type !== undefined && input.level !== input.type) {
    fail('invalid_request', '"level" and "type" are two names of one thing and differ.', {
      fields: [{ field: 'type', fault: 'differs from level' }],
    })
  }
  const usual = input.level ?? input.type ?? 'write'
  const asked = items ?? [{ path: path as string, level: undefined, scope, if_version }]
  return {
    kind: 'acquire-lock',
    actor,
    items: asked.map((item) => {
      const level = item.level ?? usual
      return {
        path: item.path,
        level,
        scope: item.scope ?? scope,
        ifVersion: item.if_version,
        ...(stable === true && level === 'read' ? { stable: true } : {}),
      }
    }),
    ttlMs: ttl === undefined ? undefined : ttl * 1000,
    renew: input.renew ?? 'activity',
    intent: input.intent,
    priority: input.priority,
    queue: queue ?? wait > 0,
    requestId: request_id,
  }
}

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
