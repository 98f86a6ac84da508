import type { Attributes } from '../../contract/events.ts'

/**
 * What else an entry carries than its content: labels, an owner, a tier, a charge. Not a version of the
 * content, and kept apart from it: writing leaves attributes as they are, setting them makes no version.
 *
 * An attribute is declared here once, with what becomes of it where its entry is copied. It survives
 * writes and moves, stands in each version's record, and so comes back with an undo or a restore.
 * One that is not declared is kept like any other, so that what a newer release set is not lost.
 */
export interface AttributeRow {
  /** `kept`: a copy has it too. `dropped`: it belongs to the one entry, such as who is charged. */
  onCopy: 'kept' | 'dropped'
}

/** By name. None is declared yet: those that come with labels, tiers and allocation stand here. */
export const ATTRIBUTES: Readonly<Record<string, AttributeRow>> = {}

/** With these set; null takes one away. Undefined where none is left. */
export function withAttributes(
  before: Attributes | undefined,
  set: Readonly<Record<string, Attributes[string] | null>>,
): Attributes | undefined {
  const after: Record<string, Attributes[string]> = { ...before }
  for (const [name, value] of Object.entries(set)) {
    if (value === null) delete after[name]
    else after[name] = value
  }
  return Object.keys(after).length === 0 ? undefined : after
}

/** What a copy of an entry has of its attributes. */
export function copiedAttributes(
  before: Attributes | undefined,
  rows = ATTRIBUTES,
): Attributes | undefined {
  const dropped = Object.keys(before ?? {}).filter((name) => rows[name]?.onCopy === 'dropped')
  return withAttributes(before, Object.fromEntries(dropped.map((name) => [name, null])))
}
