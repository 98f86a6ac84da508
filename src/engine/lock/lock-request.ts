import { fail, SluiceError } from '../../contract/errors.ts'
import type { Parsed } from '../../contract/operations.ts'
import type { AcquireLock, Actor } from '../../core/command.ts'
import { staleRefusal } from '../../core/lock/request.ts'
import { bytesOfLines } from '../../text/lines.ts'
import { contentOf } from '../file/contents.ts'
import { fileAt } from '../file/look-up.ts'
import type { WorkspaceContext } from '../workspace-context.ts'

/** From what a request for a lock says to the command that is decided. */
export type Wish = AcquireLock['items'][number] & {
  lines?: { from: number; to?: number | undefined; version: number } | undefined
}

export function wishesOf(input: Parsed<'acquire_lock'>): Wish[] {
  const { path, items, scope, stable, if_version, range, lines, key } = input
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
  const single = { path: path as string, level: undefined, scope, if_version, range, lines, key }
  if (items !== undefined && [if_version, range, lines, key].some((one) => one !== undefined)) {
    fail(
      'invalid_request',
      'With "items", say "range", "lines", "key" and "if_version" item by item.',
      {
        fields: [{ field: 'items', fault: 'these belong into the items' }],
      },
    )
  }
  return (items ?? [single]).map((item) => {
    const level = item.level ?? usual
    if (item.range !== undefined && item.lines !== undefined) {
      fail('invalid_request', `${item.path}: give either "range" or "lines".`, {
        fields: [{ field: 'lines', fault: 'either range or lines' }],
      })
    }
    return {
      path: item.path,
      level,
      scope: item.scope ?? scope,
      ifVersion: item.if_version,
      range: item.range && rangeFact(item.range),
      lines: item.lines,
      key: item.key === 'metadata' ? item.key : undefined,
      stable: stable === true && level === 'read',
    }
  })
}

function rangeFact({ start, end }: { start: number; end?: number | undefined }) {
  return end === undefined ? { start } : { start, end }
}

export function acquireCommand(
  input: Parsed<'acquire_lock'>,
  items: AcquireLock['items'],
): Omit<AcquireLock, 'actor' | 'requestId'> {
  const { ttl, wait, queue, any, lock_delay } = input
  return {
    kind: 'acquire-lock',
    items,
    any,
    ttlMs: ttl === undefined ? undefined : ttl * 1000,
    renew: input.renew ?? 'activity',
    intent: input.intent,
    priority: input.priority,
    delayMs: lock_delay === undefined ? undefined : lock_delay * 1000,
    queue: queue ?? wait > 0,
  }
}

/** locks §5: lines of a named version; if that is passed before the decision, it is refused. */
export async function inBytes(
  context: WorkspaceContext,
  wish: Wish,
  actor: Actor,
): Promise<AcquireLock['items'][number]> {
  const { lines, ...item } = wish
  if (lines === undefined) return item
  const { path } = item
  const { from, to, version } = lines
  if (item.ifVersion !== undefined && item.ifVersion !== version) {
    fail('invalid_request', `${path}: "if_version" and the version of "lines" differ.`, {
      fields: [{ field: 'lines', fault: 'of another version than if_version' }],
    })
  }
  const { state, overlay } = context.stream
  const entry = fileAt({ state, actor, moment: context.moment() }, path, undefined)
  if (entry.version !== version) {
    throw SluiceError.of(staleRefusal(path, version, entry.version))
  }
  const { size, stream } = contentOf(overlay, context.outside.blobs, entry)
  const range = await bytesOfLines(stream(), size, from, to)
  if (range === undefined || range.end <= range.start) {
    fail(
      'range_invalid',
      `${path} has no lines ${from} to ${to ?? 'its end'} at version ${version}.`,
      {
        path,
        version,
      },
    )
  }
  return { ...item, range: to === undefined ? { start: range.start } : range, ifVersion: version }
}
