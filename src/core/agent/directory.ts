import { parentOf } from '../../contract/caller.ts'
import { type Refusal, refuse } from '../../contract/errors.ts'
import type { Event, EventDraft } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import type { DirectoryCommand } from '../command.ts'
import type { Directory, Session } from '../state.ts'

/** Principals, tokens, sessions and workspaces: the server's own stream. */
export function decideDirectory(
  directory: Directory,
  command: DirectoryCommand,
): EventDraft[] | Refusal {
  const { agent, session, role } = command.actor
  const by = { agent, session }
  if (command.kind === 'open-session') return decideOpenSession(directory, command)
  if (command.kind === 'close-session') {
    const { id, reason } = command
    const ended = [...(directory.callers.get(id) ?? []), id].filter((one) =>
      directory.sessions.has(one),
    )
    return ended.map((one) => ({ kind: 'session-ended', ...by, id: one, reason }))
  }
  if (role !== 'admin') {
    return refuse('forbidden', 'Only an admin may do that.', { needed: 'admin' })
  }
  switch (command.kind) {
    case 'set-agent': {
      const { name, rights } = command
      if (command.role !== 'admin' && isLastAdmin(directory, name)) return lastAdmin()
      if (command.group !== undefined && !directory.groups.has(command.group)) {
        return noSuchGroup(directory, command.group)
      }
      const group = optional('group', command.group)
      return [{ kind: 'agent-set', ...by, name, role: command.role, ...group, rights }]
    }
    case 'remove-agent':
      if (!directory.agents.has(command.name)) return []
      if (isLastAdmin(directory, command.name)) return lastAdmin()
      return [{ kind: 'agent-removed', ...by, name: command.name }]
    case 'create-token': {
      const known = directory.agents.get(command.agent)
      if (known === undefined) {
        return refuse('not_found', `There is no agent ${command.agent}. Make it first.`)
      }
      if (!command.revokeOthers && known.tokens.length >= 100) {
        return refuse('too_many', 'An agent has at most 100 tokens. Revoke the others first.', {
          limit: 'tokens_per_agent',
          limit_value: 100,
        })
      }
      const created: EventDraft = {
        kind: 'token-created',
        ...by,
        name: command.agent,
        sha256: command.sha256,
        ...optional('label', command.label),
      }
      if (!command.revokeOthers) return [created]
      return [{ kind: 'tokens-revoked', ...by, name: command.agent }, created]
    }
    case 'set-group':
      return [{ kind: 'group-set', ...by, name: command.name, rights: command.rights }]
    case 'make-workspace':
      return [{ kind: 'workspace-made', ...by, name: command.name, settings: command.settings }]
    case 'remove-workspace':
      if (!directory.workspaces.has(command.name)) return []
      if (command.name === 'main') {
        return refuse('invalid_request', 'The workspace "main" stays.')
      }
      return [{ kind: 'workspace-removed', ...by, name: command.name }]
  }
}

function decideOpenSession(
  directory: Directory,
  command: DirectoryCommand & { kind: 'open-session' },
): EventDraft[] | Refusal {
  const { id, ttlMs, actor } = command
  if (directory.sessions.has(id)) {
    return refuse('already_exists', `The session ${id} is open. Resume it with its secret.`)
  }
  if (directory.sessions.size >= LIMITS.sessionsOpen) {
    return refuse('too_many', `${LIMITS.sessionsOpen} sessions are open. End some first.`, {
      limit: 'sessions_open',
      limit_value: LIMITS.sessionsOpen,
    })
  }
  const { agent, session } = actor
  return [
    {
      kind: 'session-opened',
      agent,
      session,
      id,
      ttlMs,
      ...optional('about', command.about),
      ...(command.tied === true ? { tied: true as const } : {}),
    },
  ]
}

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

export function applyDirectory(directory: Directory, event: Event): void {
  switch (event.kind) {
    case 'session-opened': {
      const { id, ttlMs, at } = event
      const agent = id.slice(0, id.indexOf(':'))
      const { about, tied = false } = event
      addSession(directory, { id, agent, ttlMs, openedAt: at, about, tied })
      return
    }
    case 'session-ended':
      removeSession(directory, event.id)
      return
    case 'agent-set': {
      const { name, role, group, rights } = event
      const tokens = directory.agents.get(name)?.tokens ?? []
      directory.agents.set(name, { name, role, group, rights, tokens })
      return
    }
    case 'agent-removed': {
      for (const { sha256 } of directory.agents.get(event.name)?.tokens ?? []) {
        directory.tokens.delete(sha256)
      }
      directory.agents.delete(event.name)
      return
    }
    case 'token-created':
      directory.agents.get(event.name)?.tokens.push({ sha256: event.sha256, label: event.label })
      directory.tokens.set(event.sha256, event.name)
      return
    case 'tokens-revoked': {
      const agent = directory.agents.get(event.name)
      for (const { sha256 } of agent?.tokens ?? []) directory.tokens.delete(sha256)
      if (agent !== undefined) agent.tokens = []
      return
    }
    case 'group-set':
      directory.groups.set(event.name, event.rights)
      return
    case 'workspace-made':
      directory.workspaces.set(event.name, event.settings)
      return
    case 'workspace-removed':
      directory.workspaces.delete(event.name)
      return
    default:
      return
  }
}
