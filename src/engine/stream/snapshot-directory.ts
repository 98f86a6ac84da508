import { addSession } from '../../core/agent/directory.ts'
import { type Part, rows } from './snapshot-part.ts'

/** Principals, groups, sessions and workspaces. */
export const directoryParts: Readonly<Record<string, Part>> = {
  agents: rows(
    ({ directory }) => directory.agents.values(),
    ({ directory }, agent) => {
      directory.agents.set(agent.name, agent)
      for (const { sha256 } of agent.tokens) directory.tokens.set(sha256, agent.name)
    },
  ),
  groups: rows(
    ({ directory }) => directory.groups.entries(),
    ({ directory }, [name, rights]) => directory.groups.set(name, rights),
  ),
  sessions: rows(
    ({ directory }) => directory.sessions.values(),
    ({ directory }, session) => addSession(directory, session),
  ),
  workspaces: rows(
    ({ directory }) => directory.workspaces.entries(),
    ({ directory }, [name, settings]) => directory.workspaces.set(name, settings),
  ),
}
