import { type Input, type OperationName, operationOf } from '../../src/contract/operations.ts'
import { broken } from '../history.ts'
import { type Action, FILES, type Hands } from './action.ts'

/**
 * What somebody does who may only look, and only at part of it: every query there is, and now and then
 * what its role does not allow.
 */
export const LOOK_ACTIONS: readonly Action[] = [
  look('get_entry', 4, ({ chance }) => ({
    path: chance.pick(['/', '/doc', SEEN, ...FILES]),
    depth: chance.int(4),
  })),
  look('list_locks', 4, ({ chance }) => (chance.happens(0.5) ? {} : { statistics: true })),
  look('workspace_status', 2, () => ({})),
  look('get_history', 2, ({ chance }) => ({ path: chance.pick(FILES) })),
  look('read_text', 3, ({ chance }) => ({ path: chance.pick(FILES) })),
  look('read_file', 3, ({ chance }) => ({ path: chance.pick(FILES) })),
  look('query_audit', 1, () => ({ limit: 10 })),
  look('list_sessions', 1, () => ({})),
  look('list_workspaces', 1, () => ({})),
  {
    name: 'a lock by its number',
    weight: 2,
    async run({ chance, workspace }) {
      const { locks } = await workspace.locks()
      if (locks.length > 0) await workspace.call('get_lock', { id: chance.pick(locks).id })
    },
  },
  denied('recall_lock', { id: 'L1', reason: 'mine' }),
  denied('verify_audit', {}),
  denied('list_agents', {}),
  denied('put_agent', { name: 'a0', role: 'admin' }),
  denied('put_workspace', { workspace: 'main', settings: { write_mode: 'open' } }),
]

/** All that a looker may read. */
export const SEEN = '/doc/in'

function look<N extends OperationName>(
  name: N,
  weight: number,
  input: (hands: Hands) => object,
): Action {
  return {
    name,
    weight,
    async run(hands) {
      const asked = input(hands) as Input<N>
      if (operationOf(name).of === 'server') await hands.client.sluice?.call(name, asked)
      else await hands.workspace.call(name, asked)
    },
  }
}

/** Roles: what a row of the operation table asks for, nobody does without. */
function denied<N extends OperationName>(name: N, input: object): Action {
  return {
    name: `${name}, without the role`,
    weight: 0.3,
    async run({ client, workspace }) {
      const { sluice } = client
      if (operationOf(name).of === 'server') await sluice?.call(name, input as Input<N>)
      else await workspace.call(name, input as Input<N>)
      broken('roles', `${name} was done for an agent`)
    },
  }
}
