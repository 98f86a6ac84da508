import type { Event } from '../../src/contract/events.ts'
import { broken, type Operation } from '../history.ts'
import { checkCover, type StreamCheck } from './stream.ts'

interface Granted {
  status: 'granted'
  already_held?: boolean
  lock: { id: string; fence: number; session: string; items: unknown[] }
  versions: Record<string, number>
}
interface Queued {
  status: 'queued'
  ticket: string
}

/**
 * I14: what was acknowledged is present, as it was acknowledged. Gives for each operation the revision
 * at which it took effect, where its answer tells one and it was the operation's own.
 */
export function checkKept(
  operations: readonly Operation[],
  events: readonly Event[],
  stream: StreamCheck,
): Map<Operation, number> {
  const effects = new Map<Operation, number>()
  const released = new Map<number, number>()
  for (const event of events) {
    if (event.kind === 'lock-released') released.set(event.lock, event.revision)
  }
  for (const operation of operations) {
    if (operation.outcome !== 'done') continue
    if (operation.revision > events.length) {
      broken('I14', `${told(operation)} tells of ${operation.revision}; ${events.length} is stored`)
    }
    const revision = effectOf(operation, events, released, stream)
    if (revision === undefined) continue
    if (revision > operation.revision) {
      broken('I14', `${told(operation)} was answered before its revision ${revision} was durable`)
    }
    effects.set(operation, revision)
  }
  return effects
}

export function told({ client, name, input, invokedAt }: Operation): string {
  return `c${client} ${name} ${JSON.stringify(input)} at ${Math.round(invokedAt)}`
}

function effectOf(
  operation: Operation,
  events: readonly Event[],
  released: ReadonlyMap<number, number>,
  stream: StreamCheck,
): number | undefined {
  const { name, value, input } = operation
  switch (name) {
    case 'acquire_lock':
    case 'change_lock':
    case 'wait_for_lock': {
      const answer = value as Granted | Queued
      const revision =
        answer.status === 'granted' ? answer.lock.fence : Number(answer.ticket.slice(1))
      const fact = present(operation, events, revision)
      const kinds =
        answer.status === 'queued'
          ? ['lock-queued']
          : ['lock-acquired', 'lock-raised', 'lock-handed-over']
      if (!kinds.includes(fact.kind)) broken('I14', `${told(operation)}: ${fact.kind}`)
      const isNew = !('already_held' in answer)
      if (fact.kind === 'lock-acquired' && isNew) whole(operation, input, fact.items.length)
      if (!isOwn(operation, fact, events)) return undefined
      if (answer.status === 'granted') asAsked(operation, answer)
      return revision
    }
    case 'release_lock': {
      const lock = Number(String(input.id).slice(1))
      const revision = released.get(lock)
      const isTrue = (value as { released: boolean }).released
      if (isTrue && revision === undefined) broken('I14', `${told(operation)}: it is still held`)
      return isTrue ? revision : undefined
    }
    case 'write_file':
    case 'patch_file':
    case 'delete_file': {
      const { version, path } = value as { version: number; path: string }
      written(operation, events, version, [path], stream)
      return version
    }
    case 'commit': {
      const { revision, files } = value as { revision: number; files: { path: string }[] }
      written(
        operation,
        events,
        revision,
        files.map((file) => file.path),
        stream,
      )
      return revision
    }
    default:
      return undefined
  }
}

/** A session that asks again is given what it has, or waits for, since an earlier request. */
function isOwn({ requestId }: Operation, fact: Event, events: readonly Event[]): boolean {
  const ticket = 'ticket' in fact && fact.ticket !== undefined ? events[fact.ticket - 1] : fact
  return ticket !== undefined && 'requestId' in ticket && ticket.requestId === requestId
}

function present(operation: Operation, events: readonly Event[], revision: number): Event {
  const fact = events[revision - 1]
  if (fact === undefined) {
    return broken('I14', `${told(operation)} was acknowledged as ${revision}, which is not stored`)
  }
  return fact
}

/** locks §17: what was asked for at a version is granted at no other. */
function asAsked(operation: Operation, { versions }: Granted): void {
  const { path, if_version: asked } = operation.input as { path?: string; if_version?: number }
  if (asked === undefined || path === undefined || versions[path] === asked) return
  broken('locks §17', `${told(operation)} was granted at version ${versions[path]}`)
}

/** I6: all of the paths that were asked for, or none. */
function whole(operation: Operation, input: Operation['input'], items: number): void {
  if (!Array.isArray(input.items) || input.any !== undefined) return
  const asked = new Set(
    input.items.map((item) => JSON.stringify([item.path, item.range, item.key])),
  )
  if (items !== asked.size) broken('I6', `${told(operation)} was granted ${items} items`)
}

function written(
  operation: Operation,
  events: readonly Event[],
  revision: number,
  paths: readonly string[],
  stream: StreamCheck,
): void {
  const fact = present(operation, events, revision)
  if (fact.kind !== 'files-committed' || fact.session !== operation.session) {
    broken('I14', `${told(operation)} was acknowledged as ${revision}, which is ${fact.kind}`)
  }
  const changed = new Set(fact.changes.map((change) => change.path))
  for (const path of paths) {
    if (!changed.has(path)) broken('I6', `${told(operation)} left out ${path}`)
  }
  const { locks, append } = operation.input as { locks?: string[]; append?: string }
  if (append !== undefined || locks?.length !== 1) return
  const lock = Number(/^L(\d+)\./.exec(locks[0] as string)?.[1])
  checkCover(stream, revision, lock)
}
