import { type Refusal, refuse } from '../../contract/errors.ts'
import type { PathRight, Role } from '../../contract/events.ts'
import type { Operation } from '../../contract/operation.ts'
import { foldPath, isWithin } from '../../contract/path.ts'

/**
 * Rights on paths. Who was given some has those and no others; who was given none, or is only kept out
 * of some places, may do everything else. The most specific rule (longest path) that covers a path
 * decides; an agent's own rules come before its group's at the same length. Names that files take for
 * one are one here too.
 */
export type Access = PathRight['access']

/** The workspace in which the paths of a question lie: a `State`, for example. */
export interface Tree {
  workspace: string
  settings: { portable_names: boolean }
}

const order: Record<Access, number> = { none: 0, read: 1, write: 2 }

export function accessTo(rights: readonly PathRight[], tree: Tree, path: string): Access {
  if (rights.length === 0) return 'write'
  const folded = foldIn(tree, path)
  let found: PathRight | undefined
  for (const right of rights) {
    if (!concerns(right, tree) || !isWithin(foldIn(tree, right.path), folded)) continue
    if (found === undefined || isMoreSpecific(right, found)) found = right
  }
  return found?.access ?? restOf(rights)?.access ?? 'none'
}

/** What holds for all that no rule names: nothing, where something is allowed by name. */
export function restOf(rights: readonly PathRight[]): PathRight | undefined {
  const isGranted = rights.some(({ access }) => access !== 'none')
  return isGranted ? undefined : { workspace: '*', path: '/', access: 'write' }
}

/** The least access anywhere in a subtree: what moving or locking all of it needs. */
export function accessToSubtree(rights: readonly PathRight[], tree: Tree, path: string): Access {
  let least = accessTo(rights, tree, path)
  for (const right of rightsBelow(rights, tree, path)) {
    const access = accessTo(rights, tree, right.path)
    if (order[access] < order[least]) least = access
  }
  return least
}

/** Whether something below a folder may be read, so that the way to it can be listed. */
export function leadsToReadable(rights: readonly PathRight[], tree: Tree, path: string): boolean {
  return rightsBelow(rights, tree, path).some(({ access }) => isAllowed(access, 'read'))
}

export function isAllowed(access: Access, needed: 'read' | 'write'): boolean {
  return order[access] >= order[needed]
}

export function mayRead(rights: readonly PathRight[], tree: Tree, path: string): boolean {
  return isAllowed(accessTo(rights, tree, path), 'read')
}

/** The refusal that a missing right on a path, or on all of a subtree, comes to. */
export function missingRight(
  rights: readonly PathRight[],
  tree: Tree,
  path: string,
  subtree: boolean,
  needed: 'read' | 'write',
): Refusal | undefined {
  if (rights.length === 0) return undefined
  const access = (subtree ? accessToSubtree : accessTo)(rights, tree, path)
  if (isAllowed(access, needed)) return undefined
  const what = subtree ? `all of ${path}` : path
  return refuse(
    'forbidden',
    `You have no ${needed} access to ${what}: ${given(rights, tree)}. Ask an admin for more.`,
    { path, needed, access },
  )
}

const RIGHTS_NAMED = 5

function given(rights: readonly PathRight[], tree: Tree): string {
  const here = rights.filter((right) => concerns(right, tree))
  if (here.length === 0) return `you were given no rights in workspace ${tree.workspace}`
  const named = here.slice(0, RIGHTS_NAMED).map(({ path, access }) => `${access} on ${path}`)
  const more = here.length > named.length ? `, and ${here.length - named.length} more` : ''
  return `you were given ${named.join(', ')}${more}`
}

type Needed = Operation['role']

const RANK: Record<Role, number> = {
  agent: 1,
  supervisor: 2,
  human: 2,
  admin: 3,
}

/** People may what supervisors may, admins everything. */
export function hasRole(role: Role, needed: Needed): boolean {
  return RANK[role] >= RANK[needed]
}

/** Who has a role, in words. */
export function roleNeeded(needed: Needed): string {
  return needed === 'admin'
    ? 'admins'
    : needed === 'supervisor'
      ? 'supervisors, people and admins'
      : 'agents'
}

/** Supervisors, people and admins may take locks from their holders and see everybody's rows. */
export function maySupervise(role: Role): boolean {
  return hasRole(role, 'supervisor')
}

function rightsBelow(rights: readonly PathRight[], tree: Tree, path: string): PathRight[] {
  const folded = foldIn(tree, path)
  return rights.filter((right) => {
    const below = foldIn(tree, right.path)
    return concerns(right, tree) && below !== folded && isWithin(folded, below)
  })
}

function foldIn(tree: Tree, path: string): string {
  return foldPath(path, tree.settings.portable_names)
}

function concerns(right: PathRight, tree: Tree): boolean {
  return right.workspace === tree.workspace || right.workspace === '*'
}

// Own rules stand before the group's in the list, so at a tie the first one found stays.
function isMoreSpecific(right: PathRight, than: PathRight): boolean {
  return right.path.length > than.path.length
}
