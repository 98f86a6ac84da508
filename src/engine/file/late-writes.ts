import type { Refusal } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { isoTime } from '../../contract/time.ts'
import type { Actor } from '../../core/command.ts'
import { resolvePath } from '../../core/file/resolve-path.ts'
import { numberOf } from '../lock/named.ts'
import type { WorkspaceContext } from '../workspace-context.ts'
import type { Prepared } from './prepare-changes.ts'

/** locks §39: whoever lost a lock keeps what it was about to write, for a while, and is told so. */
export function keepLate(
  context: WorkspaceContext,
  actor: Actor,
  prepared: Prepared,
  refusal: Refusal,
): Refusal {
  if (refusal.code !== 'lock_lost') return refusal
  const lock = numberOf(String(refusal.data?.lock))
  const drafts: string[] = []
  let until = 0
  for (const change of prepared.changes) {
    if (change.kind !== 'write' || drafts.length >= LIMITS.holdersNamed) continue
    const { path, content } = change
    const base = change.onto ?? knownVersion(context, actor, path)
    const attached = prepared.attachments.filter((one) => one.sha256 === content.sha256)
    // Not in the name of the request: its answer is the refusal.
    const command = { kind: 'keep-draft', actor, path, lock, base, content } as const
    const [kept] = context.decider.run(command, attached).events
    if (kept?.kind !== 'draft-kept') continue
    drafts.push(`D${kept.revision}`)
    until = kept.until
  }
  const [draft] = drafts
  if (draft === undefined) return refusal
  const detail = `${refusal.detail} What you sent is kept as draft ${drafts.join(', ')} until ${isoTime(until)}.`
  return { ...refusal, detail, data: { ...refusal.data, draft, drafts } }
}

/** What a session has last seen of a path: what a whole write of it is based on. */
function knownVersion({ stream, seen }: WorkspaceContext, actor: Actor, path: string): number {
  const { records, settings } = stream.state
  const { entry } = resolvePath(records, path, settings.portable_names)
  return entry?.kind === 'file' ? (seen.of(actor.session, entry.id)?.version ?? 0) : 0
}
