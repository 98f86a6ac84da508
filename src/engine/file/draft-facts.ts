import type { Output } from '../../contract/operations.ts'
import { isoTime } from '../../contract/time.ts'
import type { Draft } from '../../core/state.ts'

export function draftFacts(draft: Draft): Output<'read_draft'> {
  const { id, path, lock, base, size, sha256, agent, session, at, until } = draft
  return {
    draft: `D${id}`,
    path,
    lock: `L${lock}`,
    base,
    size,
    sha256,
    agent,
    session,
    at: isoTime(at),
    until: isoTime(until),
  }
}
