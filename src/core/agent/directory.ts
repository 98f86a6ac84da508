import { parentOf } from '../../contract/caller.ts'
import { type Refusal, refuse } from '../../contract/errors.ts'
import type { EventKind, EventOf, NewEvent } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import type { Actor, DirectoryCommand } from '../command.ts'
import { type Decision, decided, nothing, refused } from '../decision.ts'
import type { Directory, Session, State } from '../state.ts'
import { maySupervise } from './rights.ts'

/** Principals, tokens, sessions and workspaces: the server's own stream. */

type CommandOf<K extends DirectoryCommand['kind']> = DirectoryCommand & { kind: K }

export function decideOpenSession(
  { directory }: State,
  { id, ttlMs, actor, about, tied }: CommandOf<'open-session'>,
): Decision {
  const agent = agentOf(id)
  if (agent !== actor.agent) {
    if (actor.role !== 'admin') {
      const detail = 'Only an admin may open sessions for others.'
      return refused(refuse('forbidden', detail, { needed: 'admin' }))
    }
    if (!directory.agents.has(agent)) {
      return refused(refuse('not_found', `There is no agent ${agent}. Make it first.`))
    }
  }
  if (directory.sessions.has(id)) {
    const detail = `The session ${id} is open. Resume it with its secret.`
    return refused(refuse('already_exists', detail))
  }
  if (directory.sessions.size >= LIMITS.sessionsOpen) {
    const limit = { limit: 'sessions_open', limit_value: LIMITS.sessionsOpen }
    const detail = `${LIMITS.sessionsOpen} sessions are open. End some first.`
    return refused(refuse('too_many', detail, limit))
  }
  const opened: NewEvent = {
    kind: 'session-opened',
    ...by(actor),
    id,
    ttlMs,
    ...optional('about', about),
    ...(tied === true ? { tied: true as const } : {}),
  }
  return decided([opened])
}

/** With all callers that share it. */
export function decideCloseSession(
  { directory }: State,
  { id, reason, actor }: CommandOf<'close-session'>,
): Decision {
  const isOwn = agentOf(id) === actor.agent || maySupervise(actor.role)
  if (directory.sessions.has(id) && !isOwn) {
    return refused(refuse('forbidden', `The session ${id} belongs to somebody else.`))
  }
  const ended = [...(directory.callers.get(id) ?? []), id].filter((one) =>
    directory.sessions.has(one),
  )
  return decided(ended.map((one) => ({ kind: 'session-ended', ...by(actor), id: one, reason })))
}

export function decideSetAgent({ directory }: State, command: CommandOf<'set-agent'>): Decision {
  const { name, role, rights, group, actor } = command
  if (role !== 'admin' && isLastAdmin(directory, name)) return refused(lastAdmin())
  if (group !== undefined && !directory.groups.has(group)) {
    return refused(noSuchGroup(directory, group))
  }
  return decided(
    [{ kind: 'agent-set', ...by(actor), name, role, ...optional('group', group), rights }],
    { created: !directory.agents.has(name) },
  )
}

export function decideRemoveAgent(
  { directory }: State,
  { name, actor }: CommandOf<'remove-agent'>,
): Decision {
  if (!directory.agents.has(name)) return nothing
  if (isLastAdmin(directory, name)) return refused(lastAdmin())
  return decided([{ kind: 'agent-removed', ...by(actor), name }])
}

export function decideCreateToken(
  { directory }: State,
  { agent: name, label, revokeOthers, sha256, actor }: CommandOf<'create-token'>,
): Decision {
  const known = directory.agents.get(name)
  if (known === undefined) {
    return refused(refuse('not_found', `There is no agent ${name}. Make it first.`))
  }
  if (!revokeOthers && known.tokens.length >= TOKENS_PER_AGENT) {
    const limit = { limit: 'tokens_per_agent', limit_value: TOKENS_PER_AGENT }
    const detail = `An agent has at most ${TOKENS_PER_AGENT} tokens. Revoke the others first.`
    return refused(refuse('too_many', detail, limit))
  }
  const created: NewEvent = {
    kind: 'token-created',
    ...by(actor),
    name,
    sha256,
    ...optional('label', label),
  }
  return decided(
    revokeOthers ? [{ kind: 'tokens-revoked', ...by(actor), name }, created] : [created],
  )
}

export function decideSetGroup(
  _: State,
  { name, rights, actor }: CommandOf<'set-group'>,
): Decision {
  return decided([{ kind: 'group-set', ...by(actor), name, rights }])
}

export function decideMakeWorkspace(
  _: State,
  { name, settings, actor }: CommandOf<'make-workspace'>,
): Decision {
  return decided([{ kind: 'workspace-made', ...by(actor), name, settings }])
}

export function decideRemoveWorkspace(
  { directory }: State,
  { name, actor }: CommandOf<'remove-workspace'>,
): Decision {
  if (!directory.workspaces.has(name)) return nothing
  if (name === 'main') return refused(refuse('invalid_request', 'The workspace "main" stays.'))
  return decided([{ kind: 'workspace-removed', ...by(actor), name }])
}

function agentOf(session: string): string {
  return session.slice(0, session.indexOf(':'))
}

function by({ agent, session }: Actor): { agent: string; session: string } {
  return { agent, session }
}

const TOKENS_PER_AGENT = 100

function noSuchGroup(directory: Directory, group: string): Refusal {
  const known = [...directory.groups.keys()].slice(0, LIMITS.holdersNamed)
  const there = known.length === 0 ? 'there is none yet' : `there are ${known.join(', ')}`
  return refuse(
    'not_found',
    `There is no group ${group}; ${there}. Make it first, with put_group.`,
    {
      group,
    },
  )
}

function isLastAdmin(directory: Directory, name: string): boolean {
  if (directory.agents.get(name)?.role !== 'admin') return false
  return [...directory.agents.values()].every(
    (agent) => agent.name === name || agent.role !== 'admin' || agent.tokens.length === 0,
  )
}

function lastAdmin(): Refusal {
  return refuse('invalid_request', 'This is the last admin with a token. Make another one first.')
}

export function addSession(directory: Directory, session: Session): void {
  directory.sessions.set(session.id, session)
  const parent = parentOf(session.id)
  if (parent === undefined) return
  const callers = directory.callers.get(parent) ?? new Set()
  directory.callers.set(parent, callers.add(session.id))
}

function removeSession(directory: Directory, id: string): void {
  directory.sessions.delete(id)
  const parent = parentOf(id)
  const callers = parent === undefined ? undefined : directory.callers.get(parent)
  callers?.delete(id)
  if (parent !== undefined && callers?.size === 0) directory.callers.delete(parent)
}

type Fold<K extends EventKind> = (state: State, event: EventOf<K>) => void

/** The fold of the facts about principals, sessions and workspaces. */
export const directoryFolds = {
  'session-opened': ({ directory }, { id, ttlMs, at, about, tied = false }) => {
    addSession(directory, { id, agent: agentOf(id), ttlMs, openedAt: at, about, tied })
  },
  'session-ended': ({ directory, locks, answers }, { id }) => {
    locks.owners.delete(id)
    answers.delete(id)
    removeSession(directory, id)
  },
  'agent-set': ({ directory }, { name, role, group, rights }) => {
    const tokens = directory.agents.get(name)?.tokens ?? []
    directory.agents.set(name, { name, role, group, rights, tokens })
  },
  'agent-removed': ({ directory }, { name }) => {
    for (const { sha256 } of directory.agents.get(name)?.tokens ?? []) {
      directory.tokens.delete(sha256)
    }
    directory.agents.delete(name)
  },
  'token-created': ({ directory }, { name, sha256, label }) => {
    directory.agents.get(name)?.tokens.push({ sha256, label })
    directory.tokens.set(sha256, name)
  },
  'tokens-revoked': ({ directory }, { name }) => {
    const agent = directory.agents.get(name)
    for (const { sha256 } of agent?.tokens ?? []) directory.tokens.delete(sha256)
    if (agent !== undefined) agent.tokens = []
  },
  'group-set': ({ directory }, { name, rights }) => {
    directory.groups.set(name, rights)
  },
  'workspace-made': ({ directory }, { name, settings }) => {
    directory.workspaces.set(name, settings)
  },
  'workspace-removed': ({ directory }, { name }) => {
    directory.workspaces.delete(name)
  },
} satisfies { [K in EventKind]?: Fold<K> }
