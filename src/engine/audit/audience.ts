import { type Event, eventRowOf } from '../../contract/events.ts'
import { leadsToReadable, mayRead, maySupervise, type Tree } from '../../core/agent/rights.ts'
import type { Actor } from '../../core/command.ts'

/**
 * Whether somebody may hear of a fact, as its row says. What is not known to be allowed is not: a fact
 * whose paths are no longer kept is shown to its own agent and to supervisors only.
 *
 * @param paths undefined: not known (any more), or there are none
 */
export function mayHear(
  event: Event,
  paths: readonly string[] | undefined,
  { agent, role, rights }: Actor,
  tree: Tree,
): boolean {
  const isOwn = event.agent === agent || maySupervise(role)
  const isReadable = (path: string): boolean => mayRead(rights, tree, path)
  switch (eventRowOf(event.kind).audience) {
    case 'readers':
      return paths === undefined || paths.length === 0 ? isOwn : paths.every(isReadable)
    case 'workspace':
      return maySupervise(role) || isReadable('/') || leadsToReadable(rights, tree, '/')
    case 'agent':
      return isOwn
    case 'supervisors':
      return maySupervise(role)
  }
}
