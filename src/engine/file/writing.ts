import { fail, type Refusal, refuse, SluiceError } from '../../contract/errors.ts'
import type { Event, EventOf } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import type { Commit, CommitChange, ContentFacts } from '../../core/command.ts'
import { decide } from '../../core/decide.ts'
import { taken } from '../../core/file/permit.ts'
import { resolvePath } from '../../core/file/resolve-path.ts'
import { MODE } from '../../core/lock/mode.ts'
import type { Call } from '../call.ts'
import type { CommandHandler, Handlers, Result } from '../handler.ts'
import { DISK_FULL } from '../stream/storage-refusal.ts'
import type { Spool } from '../working-tree.ts'
import type { WorkspaceContext } from '../workspace-context.ts'
import { type Committed, committed, writtenRow } from './commit-answer.ts'
import { stage } from './contents.ts'
import { claimUsed, noteWritten } from './known-by-writing.ts'
import { keepLate } from './late-writes.ts'
import { assertReadable, fileAt } from './look-up.ts'
import { Overlaps } from './overlapping-writes.ts'
import { PathTurns } from './path-turns.ts'
import {
  type AskedChange,
  type ChangeSource,
  type Prepared,
  prepareAppendNow,
  prepareChanges,
} from './prepare-changes.ts'

type Write = 'write_file' | 'patch_file' | 'delete_file' | 'commit'

/** The operations that change files: contents made safe, commits decided, answers out of facts. */
export class Writing {
  private readonly context: WorkspaceContext
  private readonly turns = new PathTurns()
  private readonly overlaps: Overlaps

  constructor(context: WorkspaceContext) {
    this.context = context
    this.overlaps = new Overlaps((session, notice) => context.tell(session, notice))
  }

  get handlers(): Pick<Handlers<'workspace'>, Write> {
    return {
      write_file: this.ofOne<'write_file'>((call) => this.write(call), 'write'),
      patch_file: this.ofOne<'patch_file'>((call) => this.patch(call), 'append'),
      delete_file: {
        facts: ['files-committed'],
        run: (call) => this.delete(call),
        again: async ({ input: { path } }, { revision }) => ({ path, version: revision }),
      },
      commit: {
        facts: ['files-committed'],
        run: async (call) => committedAnswer(await this.prepareAndDecide(call, call.input.changes)),
        again: async ({ input }, fact) => committedAnswer(this.answeredBy(input.changes, fact)),
      },
    }
  }

  /** A write of one path: of two that are under way together, both hear. */
  private ofOne<N extends 'write_file' | 'patch_file'>(
    write: (call: Call<N>) => Promise<Result<N>>,
    op: 'write' | 'append',
  ): CommandHandler<N> {
    return {
      facts: ['files-committed'],
      run: (call) => {
        const { actor, input } = call
        if (actor.unnamed === true) return write(call)
        const { session } = actor
        const one = { session, path: input.path, isWhole: op === 'write' }
        return this.overlaps.during(
          one,
          () => this.context.clock.now(),
          () => write(call),
        )
      },
      again: async ({ input: { path } }, fact) =>
        writtenRow(this.answeredBy([{ op, path }], fact), path) as never,
    }
  }

  private async write(call: Call<'write_file'>): Promise<Output<'write_file'>> {
    const { input, content = new Uint8Array() } = call
    const { path } = input
    const size = content instanceof Uint8Array ? content.length : call.contentBytes
    const isSmall = size !== undefined && size <= LIMITS.smallContentBytes
    if (!isSmall) this.assertWritable(call)
    const { blobs } = this.context.outside
    const limit = this.context.stream.state.settings.file_bytes
    const staged = await stage(content, blobs, limit)
    const change = wholeWrite(call, { sha256: staged.sha256, size: staged.size })
    const attachments = staged.attachment === undefined ? [] : [staged.attachment]
    const prepared = { changes: [change], attachments, diffs: [] }
    const check = (): void => {
      if (input.if_exists === true) this.assertThere(call, change)
    }
    return writtenRow(await this.decideOnce(call, [{ op: 'write', path }], prepared, check), path)
  }

  /** A write that is to replace a file finds one. Who may not write is told that instead. */
  private assertThere(call: Call<'write_file'>, change: CommitChange): void {
    const { path } = call.input
    const { records, settings } = this.context.stream.state
    if (resolvePath(records, path, settings.portable_names).entry?.kind === 'file') return
    const detail = `There is no file at ${path}, and this write was to replace one. Nothing was written.`
    const absent = refuse('stale_version', detail, { path, current: 0 })
    throw SluiceError.of(this.refusalOf(call, change) ?? absent)
  }

  /** A large upload is refused before it is sent, where that is known already. */
  private assertWritable(call: Call<'write_file'>): void {
    const refusal = this.refusalOf(call, wholeWrite(call, { sha256: '', size: 0 }))
    // Whoever lost its lock may still send it: it is kept as a draft.
    if (refusal !== undefined && refusal.code !== 'lock_lost') throw SluiceError.of(refusal)
  }

  /** What the decision would say now; nothing comes of it. */
  private refusalOf(call: Call<'write_file'>, change: CommitChange): Refusal | undefined {
    const command = { ...this.command(call, [change]), actor: call.actor }
    return decide(this.context.stream.state, command, this.context.moment()).refusal
  }

  private async patch(call: Call<'patch_file'>): Promise<Output<'patch_file'>> {
    const { path, append, edits, replace, create = true, dry_run, if_version, if_none } = call.input
    if ([append, edits, replace].filter((one) => one !== undefined).length !== 1) {
      fail('invalid_request', 'Give one of "append", "edits" and "replace".')
    }
    if (dry_run === true) return this.preview(call)
    if (append !== undefined && !create) fileAt(this.sight(call), path, undefined)
    const asked: AskedChange =
      replace !== undefined
        ? { op: 'replace', path, text: replace.text, range: replace.range ?? this.ownRange(call) }
        : edits === undefined
          ? { op: 'append', path, text: append }
          : { op: 'edit', path, edits }
    const conditions = { ifVersion: if_version, ifNone: if_none }
    const made = await this.prepareAndDecide(call, [asked], conditions, true)
    return { ...writtenRow(made, path), ...optional('diff', made.prepared.diffs[0]) }
  }

  /** What edits would come to. */
  private preview(call: Call<'patch_file'>): Promise<Output<'patch_file'>> {
    const { path, edits } = call.input
    if (edits === undefined) {
      fail('invalid_request', 'Only "edits" can be tried with dry_run. Nothing was written.', {
        fields: [{ field: 'dry_run', fault: 'not with "append" or "replace"' }],
      })
    }
    const asked = [{ op: 'edit' as const, path, edits }]
    return this.context.stream
      .shown(() => fileAt(this.sight(call), path, undefined))
      .then(async ({ sha256 }) => {
        const { changes, diffs } = await prepareChanges(this.source(), asked, true)
        const [change] = changes as (CommitChange & { kind: 'write' })[]
        return {
          path,
          version: change?.onto ?? 0,
          ...optional('diff', diffs[0]),
          dry_run: true,
          ...(change?.content.sha256 === sha256 ? { unchanged: true } : {}),
        }
      })
  }

  /** The one range of a file that a session holds, where it lies now. */
  private ownRange({ input, actor }: Call<'patch_file'>): { start: number; end?: number } {
    const { path } = input
    const { locks } = this.context.stream.state
    const { folded } = taken(locks, path, MODE.W)
    const ranges = [...(locks.owners.get(actor.session)?.locks ?? [])].flatMap((lock) =>
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

  private async delete(call: Call<'delete_file'>): Promise<Output<'delete_file'>> {
    const { path, recursive = false, if_version } = call.input
    const changes: CommitChange[] = [{ kind: 'delete', path, recursive, ifVersion: if_version }]
    const prepared = { changes, attachments: [], diffs: [] }
    const { revision } = await this.decideOnce(call, [{ op: 'delete', path }], prepared)
    return { path, version: revision }
  }

  /** Contents are made ready, then it is decided; what was passed by others meanwhile is made again. */
  private async prepareAndDecide(
    call: Call<'patch_file'> | Call<'commit'>,
    asked: readonly AskedChange[],
    conditions: Conditions = {},
    withDiff = false,
  ): Promise<Committed & { prepared: Prepared }> {
    this.assertEditable(call, asked)
    const now = this.preparedNow(asked)
    if (now !== undefined) {
      const prepared = withConditions(now, conditions)
      return { ...(await this.decideOnce(call, asked, prepared)), prepared }
    }
    const paths = asked.filter(({ op }) => ON_NEWEST.has(op)).map(({ path }) => path)
    for (let tries = 1; ; tries++) {
      const { prepared, made } = await this.turns.take(paths, async () => {
        const ready = await prepareChanges(this.source(), asked, withDiff)
        const prepared = withConditions(ready, conditions)
        return { prepared, made: await this.spooled(call, asked, prepared) }
      })
      if (!('code' in made)) {
        await call.settled()
        return { ...made, prepared }
      }
      const isPassed =
        conditions.ifVersion === undefined &&
        made.code === 'stale_version' &&
        paths.includes(String(made.data?.path))
      if (!isPassed || tries >= PREPARE_TRIES) this.refuse(call, prepared, made)
    }
  }

  /** An edit is worked out on the text that stands there, and its refusal quotes it. */
  private assertEditable(
    call: Call<'patch_file'> | Call<'commit'>,
    asked: readonly AskedChange[],
  ): void {
    for (const { op, path } of asked) {
      if (op === 'edit' || op === 'replace') assertReadable(this.sight(call), path)
    }
  }

  private preparedNow(asked: readonly AskedChange[]): Prepared | undefined {
    const [only] = asked
    if (asked.length !== 1 || only?.op !== 'append' || only.text === undefined) return undefined
    if (this.turns.isBusy(only.path)) return undefined
    return prepareAppendNow(this.source(), only.path, Buffer.from(only.text, 'utf8'))
  }

  private async decideOnce(
    call: Call<Write>,
    asked: readonly AskedChange[],
    prepared: Prepared,
    check?: () => void,
  ): Promise<Committed> {
    const attempted = this.spooled(call, asked, prepared, check)
    const made = attempted instanceof Promise ? await attempted : attempted
    if ('code' in made) this.refuse(call, prepared, made)
    await call.settled()
    return made
  }

  /**
   * Decides, once a folder has what it needs to follow.
   * @param check in the same turn as the decision, so that nothing comes between
   */
  private spooled(
    call: Call<Write>,
    asked: readonly AskedChange[],
    prepared: Prepared,
    check: () => void = () => {},
  ): Promise<Committed | Refusal> | Committed | Refusal {
    const { tree } = this.context
    if (tree === undefined) {
      check()
      return this.attempt(call, asked, prepared)
    }
    const decideWith = (spool: Spool): Committed | Refusal => {
      let made: Committed | Refusal | undefined
      try {
        check()
        made = this.attempt(call, asked, prepared)
      } finally {
        if (made === undefined || 'code' in made || made.unchanged) spool.discard()
        else spool.use(made.revision)
      }
      return made
    }
    const spool = tree.spool(prepared.changes, prepared.attachments)
    return spool instanceof Promise ? spool.then(decideWith) : decideWith(spool)
  }

  private attempt(
    call: Call<Write>,
    asked: readonly AskedChange[],
    prepared: Prepared,
  ): Committed | Refusal {
    const { context } = this
    const { stream } = context
    if (stream.overlay.isBehind) fail('server_full', DISK_FULL)
    const { refusal, events } = call.attempt(
      this.command(call, prepared.changes),
      prepared.attachments,
    )
    if (refusal !== undefined) return refusal
    const [event] = events as [EventOf<'files-committed'>?]
    const made = committed(stream.state, asked, event, stream.lastFact)
    noteWritten(context, call.actor, prepared.changes, event, made)
    claimUsed(context, call.actor, event?.changes ?? prepared.changes)
    return made
  }

  private refuse(call: Call<Write>, prepared: Prepared, refusal: Refusal): never {
    throw SluiceError.of(keepLate(this.context, call.actor, prepared, refusal))
  }

  private answeredBy(asked: readonly AskedChange[], fact: Event): Committed {
    const event = fact as EventOf<'files-committed'>
    return committed(this.context.stream.state, asked, event, event.revision)
  }

  private command({ input }: Call<Write>, changes: CommitChange[]): Omit<Commit, 'actor'> {
    const { message, run, locks: tokens = [] } = input
    const release = 'release' in input && input.release === true
    const locks = tokens.map((token) => this.context.tokens.verify(token) ?? notAToken())
    return { kind: 'commit', changes, locks, release, message, run }
  }

  private sight({ actor }: { actor: Call['actor'] }) {
    return { state: this.context.stream.state, actor, moment: this.context.moment() }
  }

  private source(): ChangeSource {
    const { stream, clock, outside } = this.context
    const { blobs, texts } = outside
    const { tree } = this.context
    const soon = (callback: () => void): void => clock.soon(callback)
    return { state: stream.state, overlay: stream.overlay, blobs, texts, tree, soon }
  }
}

/** What is worked out on the newest version. */
const ON_NEWEST: ReadonlySet<string> = new Set(['append', 'edit', 'replace'])

/** What must be so at the decision, besides what an append or edit needs itself. */
interface Conditions {
  ifVersion?: number | undefined
  ifNone?: boolean | undefined
}

function wholeWrite({ input }: Call<'write_file'>, content: ContentFacts): CommitChange {
  const { path, if_version, if_none } = input
  return { kind: 'write', how: 'write', path, content, ifVersion: if_version, ifNone: if_none }
}

function withConditions(prepared: Prepared, conditions: Conditions): Prepared {
  const changes = prepared.changes.map((change) =>
    change.kind === 'write' && change.how !== 'write' ? { ...change, ...conditions } : change,
  )
  return { ...prepared, changes }
}

function committedAnswer({ revision, files, unchanged }: Committed): Output<'commit'> {
  return { revision, files, ...(unchanged ? { unchanged } : {}) }
}

function notAToken(): never {
  return fail(
    'invalid_request',
    'A lock token is not one of this workspace. Pass the token that acquire gave.',
    { fields: [{ field: 'locks', fault: 'not a token of this workspace' }] },
  )
}

/** An append that is passed by whole writes this often in a row gives up and says so. */
const PREPARE_TRIES = 100
