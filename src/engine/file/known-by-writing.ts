import type { EventOf } from '../../contract/events.ts'
import type { Actor, CommitChange } from '../../core/command.ts'
import { isOfFile, taken } from '../../core/file/permit.ts'
import { MODE } from '../../core/lock/mode.ts'
import type { WorkspaceContext } from '../workspace-context.ts'
import type { Committed } from './commit-answer.ts'

/**
 * What a caller has written whole it knows, also where the file held just that before; what it
 * appended to or edited only if it knew the version before, and as well as it did, for it saw nothing
 * of the rest (files §9).
 */
export function noteWritten(
  { seen, clock }: WorkspaceContext,
  actor: Actor,
  asked: readonly CommitChange[],
  event: EventOf<'files-committed'> | undefined,
  { left }: Committed,
): void {
  if (actor.unnamed === true) return
  for (const change of event?.changes ?? []) {
    if (change.op !== 'write' || event === undefined) continue
    const before = seen.of(actor.session, change.id)
    const isKnown = change.base === 0 || before?.version === change.base
    const isOnKnown = isKnown && (change.how === 'append' || change.how === 'edit')
    if (change.how !== 'write' && !isOnKnown) continue
    const inexact = isOnKnown ? before?.inexact : undefined
    seen.saw(actor.session, change.id, event.revision, event.at, inexact)
  }
  if (left.length === 0) return
  const wholes = new Set(
    asked.flatMap((one) => (one.kind === 'write' && one.how === 'write' ? [one.path] : [])),
  )
  for (const { path, id, version } of left) {
    if (wholes.has(path)) seen.saw(actor.session, id, version, clock.now())
  }
}

/** Who writes under a lock that was granted between its calls knows of it (locks §10). */
export function claimUsed(
  { leases, stream, clock }: WorkspaceContext,
  actor: Actor,
  changes: readonly { path: string }[],
): void {
  const { locks } = stream.state
  for (const lock of locks.owners.get(actor.session)?.locks ?? []) {
    if (!leases.isUnclaimed(lock.id)) continue
    const isUsed = changes.some(({ path }) => isOfFile(lock, taken(locks, path, MODE.W)))
    if (isUsed) leases.claim(lock.id, clock.now())
  }
}
