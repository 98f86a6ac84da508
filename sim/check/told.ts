import type { Notice } from '../../src/contract/door.ts'
import type { Lock } from '../../src/core/lock/table.ts'
import type { Operation } from '../history.ts'

/**
 * No lock lives whose owner neither knows of it nor was told: what was granted to a wait that had been
 * given up would keep everybody out, renewed by whatever else its session does; and so would one that
 * the client has given up itself.
 */
export function untoldLock(
  held: Iterable<Lock>,
  session: string,
  operations: readonly Operation[],
  notices: readonly Notice[],
  lost: ReadonlySet<string>,
): Untold | undefined {
  const told = new Set(notices.map(({ lock }) => lock))
  for (const { value } of operations) {
    const lock = (value as { lock?: { id?: string } } | undefined)?.lock
    if (lock?.id !== undefined) told.add(lock.id)
  }
  for (const { id, owner } of held) {
    const isOwn = owner.session === session || owner.session.startsWith(`${session}/`)
    if (!isOwn) continue
    const name = `L${id}`
    if (lost.has(name)) {
      return { rule: 'locks §30', what: `${name} is held, and its owner has given it up` }
    }
    if (told.has(name)) continue
    return { rule: 'locks §10', what: `${owner.session} holds ${name} and was never told` }
  }
  return undefined
}

export interface Untold {
  rule: 'locks §10' | 'locks §30'
  what: string
}
