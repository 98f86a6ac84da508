import type { Event, LockItem } from '../../src/contract/events.ts'
import { broken, type History, type Operation } from '../history.ts'
import { clash, folded, isBelow, isPart, settled } from './hold.ts'
import { type Call, decide, type Spec } from './wgl.ts'

/**
 * Linearizability without a witness (check/wgl.ts): revisions are mere names here, so a stream that
 * lies about the order is found out too. Files are registers, locks exclude: a grant needs that
 * nothing stands against it, a write that nobody else's hold does and that the hold it names is alive.
 */
export type Act =
  | { kind: 'read'; path: string; label: number }
  | {
      kind: 'write'
      session: string
      paths: string[]
      label: number
      locks: number[]
      how: Writing
    }
  | { kind: 'hold'; lock: number; session: string; items: readonly LockItem[] }
  | { kind: 'move'; from: number; lock: number; session: string }
  /** Lost, and closed to everybody. */
  | { kind: 'close'; lock: number }
  | { kind: 'end'; lock: number }

interface Writing {
  /** It writes some bytes of a file only. */
  isPart: boolean
  /** What the paths are from then on: the label, or nothing. */
  isDelete: boolean
  onlyIf: number | undefined
}

interface State {
  /** Label by path; 0: no file. */
  files: ReadonlyMap<string, number>
  holds: ReadonlyMap<number, { session: string; items: readonly LockItem[]; changes: number }>
}

/** When a fact was decided and when it was durable, in steps: what the server itself could tell. */
export interface Timing {
  decided: number
  durable: number
}

export function specOf(files: ReadonlyMap<string, number>): Spec<State, Act> {
  return { initial: { files, holds: new Map() }, step, key }
}

function step(state: State, act: Act): State | undefined {
  switch (act.kind) {
    case 'read':
      return (state.files.get(act.path) ?? 0) === act.label ? state : undefined
    case 'hold': {
      for (const [id, other] of state.holds) {
        if (id === act.lock || other.session === act.session) continue
        if (clash(act.items, other.items)) return undefined
      }
      const before = state.holds.get(act.lock)?.changes ?? 0
      const hold = { session: act.session, items: act.items, changes: before + 1 }
      return { ...state, holds: new Map(state.holds).set(act.lock, hold) }
    }
    case 'move':
    case 'close':
    case 'end':
      return moved(state, act)
    case 'write':
      return written(state, act)
  }
}

function moved(state: State, act: Extract<Act, { kind: 'move' | 'close' | 'end' }>) {
  const from = act.kind === 'move' ? act.from : act.lock
  const hold = state.holds.get(from)
  if (hold === undefined) return undefined
  const holds = new Map(state.holds)
  holds.delete(from)
  if (act.kind === 'move') holds.set(act.lock, { ...hold, session: act.session })
  if (act.kind === 'close') {
    holds.set(from, { ...hold, session: NOBODY, changes: hold.changes + 1 })
  }
  return { ...state, holds }
}

const NOBODY = '(nobody)'

function written(state: State, act: Extract<Act, { kind: 'write' }>): State | undefined {
  const { session, paths, label, locks, how } = act
  const owners = new Set([session])
  for (const id of locks) {
    const hold = state.holds.get(id)
    if (hold === undefined) return undefined
    owners.add(hold.session)
  }
  for (const hold of state.holds.values()) {
    if (owners.has(hold.session)) continue
    // Which ranges an append or an edit meets, the model knows.
    const items = how.isPart ? hold.items.filter(({ range }) => range === undefined) : hold.items
    const wanted = paths.map((path) => ({ path, level: 'write', scope: 'file' }) as const)
    if (clash(wanted, folded(items))) return undefined
  }
  const files = new Map(state.files)
  for (const path of paths) {
    if (how.onlyIf !== undefined && (files.get(path) ?? 0) !== how.onlyIf) return undefined
    files.set(path, how.isDelete ? 0 : label)
  }
  const holds = new Map(state.holds)
  for (const [id, hold] of holds) {
    const items = paths.reduce((left, path) => settled(left, path), hold.items)
    if (items !== hold.items) holds.set(id, { ...hold, items, changes: hold.changes + 1 })
  }
  return { files, holds }
}

function key({ files, holds }: State): string {
  const held = [...holds].map(([id, hold]) => `${id}.${hold.changes}`).sort()
  return `${[...files].map(([path, label]) => `${path}=${label}`).sort()} ${held}`
}

/** Throws where a part of the history has no order that explains it, or none was found in time. */
export function checkLinear(
  { operations }: History,
  events: readonly Event[],
  timings: ReadonlyMap<number, Timing>,
): void {
  const calls = callsOf(operations, events, timings)
  for (const part of partsOf(calls)) {
    const spec = specOf(firstFiles(events))
    let most = part.length
    for (;;) {
      const { verdict, stuckAt } = decide(spec, prefix(part, most), MOST_STEPS)
      if (verdict === 'linearizable') break
      if (verdict === 'not linearizable') {
        broken('linear', `nothing explains ${JSON.stringify(stuckAt)}`)
      }
      // Too much at once: whatever begins a right history is right too.
      most = Math.floor(most / 2)
      if (most < 20) broken('linear', `undecided, even for ${most * 2} calls`)
    }
  }
}

const MOST_STEPS = 200_000

/** What was there before the clients came. */
function firstFiles(events: readonly Event[]): Map<string, number> {
  const files = new Map<string, number>()
  for (const event of events) {
    if (event.session !== 'admin:set-up' || event.kind !== 'files-committed') continue
    for (const change of event.changes) {
      if (change.op === 'write') files.set(change.path, event.revision)
    }
  }
  return files
}

/** The first so many calls; what had not returned when the last of them began may be left out. */
function prefix(calls: readonly Call<Act>[], most: number): Call<Act>[] {
  if (most >= calls.length) return [...calls]
  const sorted = [...calls].sort((a, b) => a.invoked - b.invoked).slice(0, most)
  const end = sorted.at(-1)?.invoked ?? 0
  return sorted.map((call) => ({
    ...call,
    returned: call.returned > end ? Number.POSITIVE_INFINITY : call.returned,
  }))
}

function callsOf(
  operations: readonly Operation[],
  events: readonly Event[],
  timings: ReadonlyMap<number, Timing>,
): Call<Act>[] {
  const calls: Call<Act>[] = []
  const facts = new Map<number, Event>(events.map((event) => [event.revision, event]))
  for (const operation of operations) {
    const act = actOf(operation, facts)
    if (act === undefined) continue
    const { invoked, returned } = operation
    calls.push({ input: act, invoked, returned })
    // Its fact is told by the client that asked for it.
    if (act.kind === 'write') facts.delete(act.label)
  }
  for (const event of facts.values()) {
    const act = factOf(event)
    if (act === undefined) continue
    const { decided, durable } = timings.get(event.revision) ?? { decided: 0, durable: 0 }
    const returned = durable === 0 ? Number.POSITIVE_INFINITY : durable
    calls.push({ input: act, invoked: decided, returned })
  }
  return calls
}

function actOf(operation: Operation, facts: ReadonlyMap<number, Event>): Act | undefined {
  const { name, outcome, value, input, session } = operation
  if (outcome !== 'done') return undefined
  if (name === 'read_file' && input.at === undefined) {
    const { path, version } = value as { path: string; version: number }
    return { kind: 'read', path, label: version }
  }
  const label =
    name === 'commit'
      ? (value as { revision: number }).revision
      : (value as { version?: number }).version
  if (label === undefined || !WRITES.has(name)) return undefined
  const fact = facts.get(label)
  if (fact?.kind !== 'files-committed') return undefined
  const locks = ((input.locks as string[] | undefined) ?? []).map(lockOf)
  return {
    kind: 'write',
    session,
    paths: fact.changes.filter(({ op }) => op !== 'make-folder').map(({ path }) => path),
    label,
    locks,
    how: {
      isPart: input.append !== undefined || input.edits !== undefined,
      isDelete: name === 'delete_file',
      onlyIf: input.if_version as number | undefined,
    },
  }
}

const WRITES: ReadonlySet<string> = new Set(['write_file', 'patch_file', 'delete_file', 'commit'])

function lockOf(token: string): number {
  return Number(/^L(\d+)\./.exec(token)?.[1])
}

/** What the server did for nobody who heard of it, or by itself. */
function factOf(event: Event): Act | undefined {
  switch (event.kind) {
    case 'lock-acquired':
      return { kind: 'hold', lock: event.revision, session: event.session, items: event.items }
    case 'lock-raised':
    case 'lock-lowered':
      return { kind: 'hold', lock: event.lock, session: event.session, items: event.items }
    case 'lock-handed-over':
      return { kind: 'move', from: event.lock, lock: event.revision, session: event.to.session }
    case 'lock-released':
      return { kind: event.closedUntil === undefined ? 'end' : 'close', lock: event.lock }
    case 'lock-opened':
      return { kind: 'end', lock: event.lock }
    case 'files-committed': {
      if (event.session === 'admin:set-up') return undefined
      const [first] = event.changes
      const isPartial = first !== undefined && isPart(first)
      const isDelete = first?.op === 'delete'
      return {
        kind: 'write',
        session: event.session,
        paths: event.changes.filter(({ op }) => op !== 'make-folder').map(({ path }) => path),
        label: event.revision,
        locks: event.locks ?? [],
        how: { isPart: isPartial, isDelete, onlyIf: undefined },
      }
    }
    default:
      return undefined
  }
}

/** Parts that share no path, so that each is searched by itself. */
function partsOf(calls: readonly Call<Act>[]): Call<Act>[][] {
  const locks = new Map<number, string[]>()
  for (const { input } of calls) {
    if (input.kind === 'hold') {
      const paths = input.items.map((item) => item.path.toLowerCase())
      locks.set(input.lock, [...(locks.get(input.lock) ?? []), ...paths])
    } else if (input.kind === 'move') {
      locks.set(input.lock, locks.get(input.from) ?? [])
    }
  }
  const pathsOf = (act: Act): string[] => {
    if (act.kind === 'read') return [act.path]
    if (act.kind === 'write')
      return [...act.paths, ...act.locks.flatMap((id) => locks.get(id) ?? [])]
    return locks.get(act.lock) ?? []
  }
  const roots = new Map<string, string>()
  const rootOf = (path: string): string => {
    const above = roots.get(path) ?? path
    return above === path ? path : rootOf(above)
  }
  const all = new Set(calls.flatMap(({ input }) => pathsOf(input)))
  for (const a of all) {
    for (const b of all) if (isBelow(a, b)) roots.set(rootOf(b), rootOf(a))
  }
  for (const { input } of calls) {
    const [first, ...rest] = pathsOf(input)
    for (const path of rest) roots.set(rootOf(path), rootOf(first as string))
  }
  const parts = new Map<string, Call<Act>[]>()
  for (const call of calls) {
    const [first] = pathsOf(call.input)
    if (first === undefined) continue
    const root = rootOf(first)
    const part = parts.get(root)
    if (part === undefined) parts.set(root, [call])
    else part.push(call)
  }
  return [...parts.values()]
}
