import type { Notice } from '../../src/contract/door.ts'
import type { Lock } from '../../src/core/lock/table.ts'
import { broken, type Operation } from '../history.ts'

/**
 * No lock lives whose owner neither knows of it nor was told: what was granted to a wait that had been
 * given up would keep everybody out, renewed by whatever else its session does; and so would one that
 * the client has given up itself.
 */
export function checkTold(
  held: Iterable<Lock>,
  session: string,
  operations: readonly Operation[],
  notices: readonly Notice[],
  lost: ReadonlySet<string>,
): void {
  const told = new Set(notices.map(({ lock }) => lock))
  for (const { value } of operations) {
    const lock = (value as { lock?: { id?: string } } | undefined)?.lock
    if (lock?.id !== undefined) told.add(lock.id)
  }
  for (const { id, owner } of held) {
    const isOwn = owner.session === session || owner.session.startsWith(`${session}/`)
    if (!isOwn) continue
    if (lost.has(`L${id}`)) broken('locks §30', `L${id} is held, and its owner has given it up`)
    if (told.has(`L${id}`)) continue
    broken('locks §10', `${owner.session} holds L${id} and was never told`)
  }
}
