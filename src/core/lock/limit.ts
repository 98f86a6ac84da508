import { type Refusal, refuse } from '../../contract/errors.ts'
import type { State } from '../state.ts'

/** How much an agent, and all together, may hold and wait for (locks §14). */

export function heldLimit(state: State, agent: string): Refusal | undefined {
  const { locks_per_agent, locks_per_workspace } = state.settings
  const held = state.locks.agents.get(agent)?.held ?? 0
  if (held >= locks_per_agent) {
    return refuse(
      'too_many',
      `You hold ${held} locks, the most an agent may. Release some first.`,
      { limit: 'locks_per_agent', limit_value: locks_per_agent },
    )
  }
  if (state.locks.locks.size < locks_per_workspace) return undefined
  return refuse(
    'too_many',
    `The workspace has ${locks_per_workspace} locks, its limit. Try later.`,
    { limit: 'locks_per_workspace', limit_value: locks_per_workspace },
  )
}

export function waitingLimit(state: State, agent: string): Refusal | undefined {
  const { waiting_per_agent, waiting_per_workspace } = state.settings
  const waiting = state.locks.agents.get(agent)?.waiting ?? 0
  if (waiting >= waiting_per_agent) {
    return refuse(
      'too_many',
      `You wait for ${waiting} locks, the most an agent may. Leave some queues first.`,
      { limit: 'waiting_per_agent', limit_value: waiting_per_agent },
    )
  }
  if (state.locks.tickets.size < waiting_per_workspace) return undefined
  return refuse('too_many', `${waiting_per_workspace} requests wait already. Try later.`, {
    limit: 'waiting_per_workspace',
    limit_value: waiting_per_workspace,
  })
}
