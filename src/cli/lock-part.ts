import type { Input } from '../contract/operations.ts'
import { doorOf } from './door.ts'
import { UsageError } from './usage-error.ts'
import type { Values } from './values.ts'
import { versionOf } from './version-of.ts'

type Range = NonNullable<Input<'acquire_lock'>['range']>
type Lines = NonNullable<Input<'acquire_lock'>['lines']>

/** `10:20` or `10:`, as the range of bytes that it says. */
export function rangeOf(text: string): Range {
  const [, start, end] = /^(\d+):(\d*)$/.exec(text) ?? []
  if (start === undefined) {
    throw new UsageError(`--range: "${text}" is not START:END, for example 0:100 or 100:.`)
  }
  return { start: Number(start), ...(end ? { end: Number(end) } : {}) }
}

/** `10:20`, `10:`, `10:20@7`; without a version those of the file as it is now are meant. */
export async function linesOf(text: string, values: Values, path: string): Promise<Lines> {
  const [, from, to, version] = /^(\d+):(\d*)(?:@(\d+))?$/.exec(text) ?? []
  if (from === undefined) {
    throw new UsageError(`--lines: "${text}" is not FROM:TO, for example 1:10, 10: or 1:10@42.`)
  }
  const lines = { from: Number(from), ...(to ? { to: Number(to) } : {}) }
  if (version !== undefined) return { ...lines, version: Number(version) }
  const where = { workspace: values.text('workspace'), path }
  // A folder has none; the lock itself is refused in words about folders.
  return { ...lines, version: (await versionOf(await doorOf(values), where)) ?? 0 }
}
