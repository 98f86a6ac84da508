import type { Stored } from './snapshot-part.ts'

/**
 * Snapshots of release 0.1.0 and before were one object (format 4, where it said `version`), with null
 * for what had no value. Undefined: it is none of them.
 */
export function partsOfFormat4(stored: Stored) {
  const old = stored as (Record<string, unknown> & { version?: unknown }) | undefined
  if (old?.version !== 4) return undefined
  const { version: _, revision, at, directory, ...memory } = withoutNulls(old) as typeof old
  const parts = Object.entries({ ...memory, ...(directory as object) }).map(
    ([name, value]): [string, number, Stored] => [name, 1, value],
  )
  const order = (name: string): number => (name === 'settings' ? 0 : 1)
  parts.sort(([a], [b]) => order(a) - order(b))
  return { format: 5 as const, revision: revision as number, at: at as number, parts }
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([name, one]) => [name, withoutNulls(one)]),
  )
}
