import { createHash, randomUUID } from 'node:crypto'
import { fail, type Problem, problemOf, refuse } from '../../src/contract/errors.ts'
import { DEFAULT_SETTINGS, type ShownEvent } from '../../src/contract/events.ts'
import type { OperationName, Output, Parsed } from '../../src/contract/operations.ts'
import { isWithin, parentPath } from '../../src/contract/path.ts'
import type {
  Answer,
  Caller,
  CancelSignal,
  EngineApi,
  Principal,
  Request,
  WatchQuery,
} from '../../src/engine/api.ts'
import { partOf, readText } from '../../src/engine/file/read-text.ts'
import { runEdit } from '../../src/text/edit-job.ts'
import { contentOf, gather } from './fake-content.ts'

/**
 * An engine for the tests of faces: files, whole-path locks and sessions in memory, with none of the
 * real rules but those that faces show (versions, unseen versions, conflicts, queues).
 */
interface StoredFile {
  bytes: Buffer
  version: number
  by: Caller
}
interface Held {
  id: string
  paths: string[]
  level: 'read' | 'write' | 'exclusive'
  session: string
  agent: string
  intent: string | undefined
}
interface Waiting {
  ticket: string
  request: Held
}

type Run<N extends OperationName> = (request: Request<N>) => Promise<Omit<Answer<N>, 'revision'>>

const AT = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-01T00:05:00.000Z'

export class FakeEngine implements EngineApi {
  readonly tokens = new Map<string, Principal>([
    ['token-a', { name: 'agent-a', role: 'agent' }],
    ['token-b', { name: 'agent-b', role: 'agent' }],
    ['token-admin', { name: 'admin', role: 'admin' }],
  ])
  readonly files = new Map<string, StoredFile>()
  readonly folders = new Set<string>(['/'])
  readonly events: ShownEvent[] = []
  readonly ended: string[] = []
  readonly faults = new Map<string, unknown>()
  compactedBefore = 0
  #revision = 100
  #locks: Held[] = []
  #waiting: Waiting[] = []
  #seen = new Map<string, Map<string, number>>()
  #wake = Promise.withResolvers<void>()
  /** Waits that were given up because their caller left. */
  abortedWaits = 0

  giveBack(caller: Caller, workspace: string, id: string): void {
    void this.call({ operation: 'release_lock', input: { workspace, id }, caller })
  }

  failed(error: unknown): Problem {
    const id = randomUUID()
    this.faults.set(id, error)
    return problemOf(refuse('internal', `The log says why under ${id}.`, { id }))
  }
  onNotice(): () => void {
    return () => {}
  }
  takeNotices(): [] {
    return []
  }
  untoldNotices(): number {
    return 0
  }
  async join(): Promise<never> {
    throw new Error('the fake engine resumes no sessions')
  }
  authenticate(token: string): Principal | undefined {
    return this.tokens.get(token)
  }
  async callerOf(principal: Principal, { session: name = 'default' } = {}): Promise<Caller> {
    const session = name.includes(':') ? name : `${principal.name}:${name}`
    if (!session.startsWith(`${principal.name}:`)) fail('forbidden', 'That session is not yours.')
    return { agent: principal.name, session, role: principal.role, rights: [] }
  }
  async callerAs(caller: Caller, as: string): Promise<Caller> {
    return { ...caller, session: `${caller.session}/${as}` }
  }
  revision(workspace: string): number | undefined {
    return workspace === 'main' ? this.#revision : undefined
  }
  connect(): () => void {
    return () => {}
  }
  health() {
    const main = {
      revision: this.#revision,
      locks: this.#locks.length,
      waiting: this.#waiting.length,
    }
    return { status: 'ok' as const, version: '0.0.0', uptime_s: 1, workspaces: { main } }
  }

  async call<N extends OperationName>(request: Request<N>): Promise<Answer<N>> {
    const { workspace } = request.input as { workspace?: string }
    if (workspace !== undefined && workspace !== 'main')
      fail('not_found', 'There is no such workspace.')
    const table = this.#operations as unknown as Record<string, Run<N> | undefined>
    const run = table[request.operation]
    if (run === undefined) throw new Error(`the fake engine knows no ${request.operation}`)
    const answer = await run.call(this, request)
    return { ...answer, revision: this.#revision } as Answer<N>
  }

  async *watch(_caller: Caller, query: WatchQuery): AsyncIterable<ShownEvent[]> {
    if (query.since < this.compactedBefore) fail('compacted', 'That history is no longer kept.')
    let next = this.events.findIndex((event) => event.revision > query.since)
    if (next < 0) next = this.events.length
    const left = Promise.withResolvers<void>()
    query.signal.addEventListener('abort', () => left.resolve())
    while (!query.signal.aborted) {
      const batch = this.events.slice(next, next + 100)
      next += batch.length
      const wanted = batch.filter((event) => query.kinds?.includes(event.kind) !== false)
      if (wanted.length > 0) yield wanted
      if (batch.length === 0) await Promise.race([this.#wake.promise, left.promise])
    }
  }

  /** Puts a fact into the stream, as a commit of `agent` would. */
  happen(kind: ShownEvent['kind'], more: Record<string, unknown> = {}): ShownEvent {
    this.#revision += 1
    const event = {
      ...{ revision: this.#revision, at: AT, kind, agent: 'x', session: 'x:y' },
      ...more,
    } as ShownEvent
    this.events.push(event)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers<void>()
    return event
  }

  #operations = {
    read_file: async ({ input, caller }: Request<'read_file'>) => {
      const file = this.#fileAt(input.path)
      this.#saw(caller, input.path, file.version)
      return { value: this.#facts(input.path, file), content: contentOf(file.bytes) }
    },
    read_text: async ({ input, caller }: Request<'read_text'>) => {
      const { path } = input
      const part = partOf(input)
      const { version, bytes } = this.#fileAt(path)
      this.#saw(caller, path, version)
      const { text, encoding } = await readText(contentOf(bytes), part, 1024 * 1024)
      return { value: { path, version, size: bytes.length, text, encoding } }
    },
    write_file: async ({ input, caller, content }: Request<'write_file'>) => {
      // As in the real one, contents are stored first and only the decision publishes them.
      const bytes = await gather(content)
      this.#mayWrite(caller, input.path)
      const old = this.files.get(input.path)
      if (input.if_none && old) fail('already_exists', `${input.path} is there already.`)
      if (this.folders.has(input.path)) fail('is_folder', `${input.path} is a folder.`)
      if (old) this.#mayReplace(caller, input, old.version)
      return { value: { ...this.#put(caller, input.path, bytes), created: old === undefined } }
    },
    patch_file: async ({ input, caller }: Request<'patch_file'>) => {
      this.#mayWrite(caller, input.path)
      const old = this.files.get(input.path)
      if (input.append !== undefined) {
        const bytes = Buffer.concat([old?.bytes ?? Buffer.alloc(0), Buffer.from(input.append)])
        return { value: this.#put(caller, input.path, bytes) }
      }
      const { version, bytes } = this.#fileAt(input.path)
      const edited = runEdit({ bytes, edits: input.edits ?? [], diffOf: input.path })
      if (!edited.ok) fail('edit_conflict', `Edit ${edited.index}: ${edited.reason}.`)
      const diff = edited.diff ?? ''
      if (input.dry_run) return { value: { path: input.path, version, diff, dry_run: true } }
      return { value: { ...this.#put(caller, input.path, Buffer.from(edited.bytes)), diff } }
    },
    delete_file: async ({ input, caller }: Request<'delete_file'>) => {
      this.#mayWrite(caller, input.path)
      if (!this.files.delete(input.path) && !this.#deleteFolder(input)) this.#missing(input.path)
      const { revision } = this.happen('files-committed')
      return { value: { path: input.path, version: revision } }
    },
    commit: async ({ input, caller }: Request<'commit'>) => {
      const files = []
      for (const change of input.changes) files.push(this.#change(caller, change))
      return { value: { revision: this.#revision, files } }
    },
    get_entry: async ({ input }: Request<'get_entry'>) => {
      const { path } = input
      const file = this.files.get(path)
      if (file) return { value: this.#facts(path, file) }
      if (!this.folders.has(path)) this.#missing(path)
      const all = [...this.folders, ...this.files.keys()].sort()
      const below = all.filter((one) => one !== path && isWithin(path, one))
      const depthOf = (one: string) =>
        one.split('/').length - (path === '/' ? 1 : path.split('/').length)
      const entries = below
        .filter((one) => depthOf(one) <= input.depth)
        .map((one) => this.#entry(one))
      const start = Number(input.cursor ?? 0)
      const page = entries.slice(start, start + input.limit)
      const more = start + page.length < entries.length
      const value = { path, kind: 'folder' as const, entries: page }
      return { value: more ? { ...value, cursor: String(start + page.length) } : value }
    },
    acquire_lock: async ({ input, caller, signal }: Request<'acquire_lock'>) => {
      const paths = input.items?.map((item) => item.path) ?? (input.path ? [input.path] : [])
      const level = input.level ?? input.type ?? 'write'
      const request = {
        id: `L${this.#revision + 1}`,
        paths,
        level,
        session: caller.session,
        agent: caller.agent,
        intent: input.intent,
      }
      const blockers = this.#blockers(request)
      if (blockers.length === 0) return { value: this.#grant(request) }
      const holders = blockers.map((held) => this.#holder(held))
      if (input.wait === 0 && !input.queue) {
        fail('lock_conflict', `${paths.join(', ')} is held by ${blockers[0]?.agent}.`, { holders })
      }
      this.happen('lock-queued')
      const ticket = `T${this.#revision}`
      this.#waiting.push({ ticket, request })
      return { value: await this.#await(ticket, input.wait, signal) }
    },
    wait_for_lock: async ({ input, signal }: Request<'wait_for_lock'>) => {
      return { value: await this.#await(input.ticket, input.wait, signal) }
    },
    leave_queue: async ({ input }: Request<'leave_queue'>) => {
      const before = this.#waiting.length
      this.#waiting = this.#waiting.filter((one) => one.ticket !== input.ticket)
      return { value: { left: this.#waiting.length < before } }
    },
    release_lock: async ({ input, caller }: Request<'release_lock'>) => {
      const before = this.#locks.length
      this.#locks = this.#locks.filter(
        (one) => one.id !== input.id || one.session !== caller.session,
      )
      if (this.#locks.length < before) this.happen('lock-released')
      return { value: { released: this.#locks.length < before } }
    },
    release_all_locks: async ({ caller }: Request<'release_all_locks'>) => {
      const mine = this.#locks.filter((one) => one.session === caller.session)
      this.#locks = this.#locks.filter((one) => one.session !== caller.session)
      return { value: { released: mine.length, left: 0 } }
    },
    renew_lock: async ({ input, caller }: Request<'renew_lock'>) => {
      const held = this.#locks.find((one) => one.id === input.id && one.session === caller.session)
      if (held === undefined) fail('lock_lost', `The lock ${input.id} is gone.`)
      return { value: { lock: this.#lockFacts(held), server_time: AT } }
    },
    list_locks: async (_request: Request<'list_locks'>) => {
      const locks = this.#locks.map((held) => this.#lockFacts(held))
      const waiting = this.#waiting.map(({ ticket, request }, index) => ({
        ticket,
        agent: request.agent,
        session: request.session,
        level: request.level,
        paths: request.paths,
        since: AT,
        waited_s: 0,
        position: index + 1,
        priority: 5,
        blocked_by: [],
      }))
      return { value: { locks, waiting, closed: [], more: false } }
    },
    workspace_status: async ({ caller }: Request<'workspace_status'>) => ({
      value: {
        workspace: 'main',
        agent: caller.agent,
        session: caller.session,
        role: caller.role,
        revision: this.#revision,
        locks: this.#locks
          .filter((one) => one.session === caller.session)
          .map((held) => this.#lockFacts(held)),
        tickets: this.#waiting
          .filter((one) => one.request.session === caller.session)
          .map(({ ticket, request }, index) => ({
            ticket,
            paths: request.paths,
            position: index + 1,
          })),
        rights: [],
        totals: { locks: this.#locks.length, waiting: this.#waiting.length },
        messages: [],
        drafts: [],
        server_time: AT,
      },
    }),
    open_session: async ({ input, caller }: Request<'open_session'>) => ({
      value: {
        id: `${caller.agent}:${input.name ?? randomUUID()}`,
        secret: 'a-secret',
        agent: caller.agent,
        ttl: input.ttl,
        resumed: false,
      },
    }),
    end_session: async ({ input }: Request<'end_session'>) => {
      this.ended.push(input.id)
      return { value: { ended: true } }
    },
    put_workspace: async ({ input }: Request<'put_workspace'>) => ({
      value: {
        name: input.workspace,
        kind: 'managed' as const,
        revision: 0,
        settings: DEFAULT_SETTINGS,
        created: true,
      },
    }),
    list_workspaces: async (_request: Request<'list_workspaces'>): Promise<never> => {
      throw new Error('a secret of the inside')
    },
  }

  #entry(path: string) {
    const file = this.files.get(path)
    return file ? this.#facts(path, file) : { path, kind: 'folder' as const }
  }
  #facts(path: string, file: StoredFile) {
    const held = this.#locks.find((one) => one.paths.includes(path) && one.level !== 'read')
    return {
      path,
      kind: 'file' as const,
      version: file.version,
      size: file.bytes.length,
      sha256: createHash('sha256').update(file.bytes).digest('hex'),
      created_at: AT,
      modified_at: AT,
      modified_by: { agent: file.by.agent, session: file.by.session },
      ...(held ? { lock: this.#holder(held) } : {}),
    }
  }
  #fileAt(path: string): StoredFile {
    const file = this.files.get(path)
    if (file) return file
    if (this.folders.has(path)) fail('is_folder', `${path} is a folder.`)
    this.#missing(path)
  }
  #missing(path: string): never {
    fail('not_found', `There is no ${path}.`, { path })
  }
  #saw(caller: Caller, path: string, version: number): void {
    const seen = this.#seen.get(caller.session) ?? new Map<string, number>()
    this.#seen.set(caller.session, seen.set(path, version))
  }
  #mayWrite(caller: Caller, path: string): void {
    const held = this.#locks.find(
      (one) => one.paths.includes(path) && one.level !== 'read' && one.session !== caller.session,
    )
    if (held) fail('locked', `${path} is locked by ${held.agent}.`, { holder: this.#holder(held) })
  }
  #mayReplace(caller: Caller, input: Parsed<'write_file'>, current: number): void {
    const own = this.#locks.filter((one) => one.session === caller.session)
    // Less than files §9 asks for: here a covering lock is enough.
    const isCovered = own.some((one) => one.paths.includes(input.path) && one.level !== 'read')
    if (isCovered && input.if_version === undefined) return
    const seen = input.if_version ?? this.#seen.get(caller.session)?.get(input.path)
    if (seen === current) return
    const data = { path: input.path, current }
    if (seen === undefined) fail('unseen_version', `You have not read ${input.path}.`, data)
    fail('stale_version', `${input.path} was changed since version ${seen}.`, data)
  }
  #put(caller: Caller, path: string, bytes: Buffer) {
    for (let folder = parentPath(path); folder !== '/'; folder = parentPath(folder)) {
      this.folders.add(folder)
    }
    const { revision } = this.happen('files-committed', { path })
    this.files.set(path, { bytes, version: revision, by: caller })
    this.#saw(caller, path, revision)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { path, version: revision, size: bytes.length, sha256 }
  }
  #deleteFolder(input: Parsed<'delete_file'>): boolean {
    if (!this.folders.has(input.path)) return false
    const below = [...this.files.keys()].filter((path) => isWithin(input.path, path))
    if (below.length > 0 && !input.recursive) fail('not_empty', `${input.path} is not empty.`)
    for (const path of below) this.files.delete(path)
    return this.folders.delete(input.path)
  }
  #change(caller: Caller, change: Parsed<'commit'>['changes'][number]) {
    if (change.op === 'make_folder') {
      for (let folder = change.path; folder !== '/'; folder = parentPath(folder)) {
        if (this.files.has(folder)) fail('not_folder', `${folder} is a file.`)
        this.folders.add(folder)
      }
      return { path: change.path, version: this.#revision }
    }
    if (change.op === 'write') {
      return this.#put(caller, change.path, Buffer.from(change.text ?? change.base64 ?? ''))
    }
    if (change.op !== 'move' && change.op !== 'copy') throw new Error(`no ${change.op} in the fake`)
    const taken = this.files.has(change.to) || this.folders.has(change.to)
    if (taken && !change.overwrite) fail('already_exists', `${change.to} is there already.`)
    const moved = [...this.files].filter(([path]) => isWithin(change.path, path))
    if (moved.length === 0) this.#missing(change.path)
    for (const [path, file] of moved) {
      if (change.op === 'move') this.files.delete(path)
      this.#put(caller, change.to + path.slice(change.path.length), file.bytes)
    }
    if (change.op === 'move' && this.folders.delete(change.path)) this.folders.add(change.to)
    return { path: change.to, version: this.#revision }
  }
  #blockers(request: Held): Held[] {
    return this.#locks.filter(
      (held) =>
        held.session !== request.session &&
        held.paths.some((path) => request.paths.includes(path)) &&
        (held.level === 'exclusive' ||
          request.level === 'exclusive' ||
          held.level === request.level) &&
        !(held.level === 'read' && request.level === 'read'),
    )
  }
  #grant(request: Held): Output<'acquire_lock'> {
    const { revision } = this.happen('lock-acquired')
    const held = { ...request, id: `L${revision}` }
    this.#locks.push(held)
    const versions = Object.fromEntries(
      held.paths.map((path) => [path, this.files.get(path)?.version ?? 0]),
    )
    const token = `secret-${held.id}`
    return { status: 'granted', lock: this.#lockFacts(held), token, versions, server_time: AT }
  }
  /** Waits are as short as can be: what is not free now is still queued when the call answers. */
  async #await(
    ticket: string,
    wait: number,
    signal?: CancelSignal,
  ): Promise<Output<'wait_for_lock'>> {
    const index = this.#waiting.findIndex((one) => one.ticket === ticket)
    const waiting = this.#waiting[index]
    if (waiting === undefined) fail('ticket_gone', `The ticket ${ticket} is gone.`)
    // A wait of 25 s stands for one that only the caller's leaving ends.
    if (wait === 25 && signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      this.abortedWaits += 1
    }
    const blockers = this.#blockers(waiting.request)
    if (blockers.length === 0) {
      this.#waiting.splice(index, 1)
      return this.#grant(waiting.request)
    }
    const holders = blockers.map((held) => this.#holder(held))
    return { status: 'queued', ticket, position: index + 1, holders, estimate_s: 300 }
  }
  #holder(held: Held) {
    return {
      agent: held.agent,
      session: held.session,
      lock: held.id,
      level: held.level,
      path: held.paths[0] ?? '/',
      ...(held.intent === undefined ? {} : { intent: held.intent }),
      since: AT,
      expires_at: LATER,
    }
  }
  #lockFacts(held: Held) {
    const { level } = held
    return {
      id: held.id,
      fence: Number(held.id.slice(1)),
      level,
      items: held.paths.map((path) => ({ path, level, scope: 'file' as const })),
      owner: held.agent,
      session: held.session,
      ...(held.intent === undefined ? {} : { intent: held.intent }),
      granted_at: AT,
      expires_at: LATER,
      ttl: 300,
      renew: 'activity' as const,
    }
  }
}
