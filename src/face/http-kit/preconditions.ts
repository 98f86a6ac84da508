import type { IncomingHttpHeaders } from 'node:http'
import { fail } from '../../contract/errors.ts'
import type { Operation } from '../../contract/operation.ts'
import { type EntityTag, matchesWeakly, parseTags } from './entity-tag.ts'

/**
 * `If-Match` and `If-None-Match` of commands (RFC 9110 §13) as fields of their input, so that the
 * decision itself keeps them. One that cannot be kept is refused: a write that its client made
 * conditional is never done without its condition.
 *
 * @param currentOf the version that is there now, 0 for none; asked only where a condition needs it.
 */
export async function conditionFields(
  row: Operation,
  headers: IncomingHttpHeaders,
  currentOf: () => Promise<number>,
): Promise<Record<string, unknown>> {
  if (row.kind !== 'command') return {}
  const fields: Record<string, unknown> = {}
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch !== undefined) Object.assign(fields, await matchFields(row, ifMatch, currentOf))
  if (ifNoneMatch !== undefined) {
    Object.assign(fields, await noneMatchFields(row, ifNoneMatch, currentOf))
  }
  return fields
}

async function matchFields(row: Operation, header: string, currentOf: () => Promise<number>) {
  const tags = parseTags(header)
  if (tags === '*' && takes(row, 'if_exists')) return { if_exists: true }
  // An append makes no file then; all else that takes a version needs one that is there anyway.
  if (tags === '*' && takes(row, 'create')) return { create: false }
  if (tags === '*' && takes(row, 'recursive')) return {}
  if (tags === undefined || tags === '*' || !takes(row, 'if_version')) {
    fail('invalid_request', 'If-Match takes versions here, for example If-Match: "1042".')
  }
  const versions = tags.filter(({ isWeak }) => !isWeak).flatMap(({ tag }) => versionIn(tag))
  const [first, ...others] = versions
  if (first === undefined) return fail('stale_version', unmatched(header, tags), { given: header })
  if (others.length === 0) return { if_version: first }
  const current = await currentOf()
  return { if_version: versions.includes(current) ? current : Math.max(...versions) }
}

function unmatched(header: string, tags: readonly EntityTag[]): string {
  if (tags.every(({ isWeak }) => !isWeak)) {
    return `If-Match: ${header} is no version of Sluice, so it matches nothing. Read it again.`
  }
  return (
    `If-Match: ${header} is weak, and a weak tag never matches (RFC 9110 §13.1.1). A proxy that ` +
    'compresses answers makes tags weak: let it leave these alone, or send the version that ' +
    'Sluice gave, without the W/. Nothing was changed.'
  )
}

async function noneMatchFields(row: Operation, header: string, currentOf: () => Promise<number>) {
  const tags = parseTags(header)
  if (tags === undefined || !takes(row, 'if_none')) {
    fail(
      'invalid_request',
      'If-None-Match is for writes of files: "*" (nothing there yet) or tags.',
    )
  }
  if (tags === '*') return { if_none: true }
  // Versions only grow: one that is not there now does not come back until the write is decided.
  const current = await currentOf()
  if (current === 0 || !matchesWeakly(tags, String(current))) return {}
  return fail('stale_version', `If-None-Match: version ${current} is there. Nothing was changed.`, {
    current,
  })
}

function versionIn(tag: string): number[] {
  const version = /^\d{1,16}$/.test(tag) ? Number(tag) : Number.NaN
  return Number.isSafeInteger(version) ? [version] : []
}

/** Whether an operation has such a field. */
export function takes(row: Operation, field: string): boolean {
  return Object.hasOwn(row.input.shape, field)
}
