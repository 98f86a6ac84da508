import { type Refusal, refuse } from '../../contract/errors.ts'
import type { PathRight, Role } from '../../contract/events.ts'
import { isWithin } from '../../contract/path.ts'

/**
 * Rights on paths. The most specific rule (longest path) that covers a path decides; an agent's own
 * rules come before its group's at the same length. No rule: write.
 */
export type Access = PathRight['access']

const order: Record<Access, number> = { none: 0, read: 1, write: 2 }

export function accessTo(rights: readonly PathRight[], workspace: string, path: string): Access {
  let found: PathRight | undefined
  for (const right of rights) {
    if (!concerns(right, workspace) || !isWithin(right.path, path)) continue
    if (found === undefined || isMoreSpecific(right, found)) found = right
  }
  return found?.access ?? 'write'
}

/** The least access anywhere in a subtree: what moving or locking all of it needs. */
export function accessToSubtree(
  rights: readonly PathRight[],
  workspace: string,
  path: string,
): Access {
  let least = accessTo(rights, workspace, path)
  for (const right of rights) {
    if (!concerns(right, workspace) || right.path === path || !isWithin(path, right.path)) continue
    const access = accessTo(rights, workspace, right.path)
    if (order[access] < order[least]) least = access
  }
  return least
}

export function isAllowed(access: Access, needed: 'read' | 'write'): boolean {
  return order[access] >= order[needed]
}

/** The refusal that a missing right on a path, or on all of a subtree, comes to. */
export function missingRight(
  rights: readonly PathRight[],
  workspace: string,
  path: string,
  subtree: boolean,
  needed: 'read' | 'write',
): Refusal | undefined {
  if (rights.length === 0) return undefined
  const access = (subtree ? accessToSubtree : accessTo)(rights, workspace, path)
  if (isAllowed(access, needed)) return undefined
  const what = subtree ? `all of ${path}` : path
  return refuse('forbidden', `You have no ${needed} access to ${what}. Ask an admin for it.`, {
    path,
    needed,
    access,
  })
}

/** Supervisors, people and admins may take locks from their holders and see everybody's rows. */
export function maySupervise(role: Role): boolean {
  return role !== 'agent'
}

function concerns(right: PathRight, workspace: string): boolean {
  return right.workspace === workspace || right.workspace === '*'
}

// Own rules stand before the group's in the list, so at a tie the first one found stays.
function isMoreSpecific(right: PathRight, than: PathRight): boolean {
  return right.path.length > than.path.length
}
