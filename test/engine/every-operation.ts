import type { Input, OperationName } from '../../src/contract/operations.ts'
import type { EngineWorld } from './world.ts'

/** One call of an operation that is answered, and who may make it. */
export interface Sample<N extends OperationName> {
  who: string
  input: Input<N>
  content?: string
}

export type Samples = { [N in OperationName]: Sample<N> }

/**
 * A workspace in which every operation has something to do, and a call of each that does it. A new
 * operation needs its line here: it is walked by all that holds for every operation.
 */
export async function everyOperation(world: EngineWorld): Promise<Samples> {
  await world.addAgent('sue', { role: 'supervisor' })
  await world.call('admin', 'put_agent', { name: 'guest' })
  await world.call('admin', 'put_workspace', { workspace: 'spare' })
  await world.call('ann', 'write_file', { path: '/f' }, 'one\n')
  await world.call('ann', 'write_file', { path: '/gone' }, 'x')
  await world.call('ann', 'open_session', { name: 'extra' })
  await world.caller('cyd')
  const take = async (path: string) => (await world.lock('ann', path)).lock
  const held = await take('/held')
  const lowered = await take('/lowered')
  const given = await take('/given')
  const back = await take('/back')
  const recalled = await take('/recalled')
  await world.call('sue', 'recall_lock', { id: recalled.id, reason: 'needed', grace: 600 })
  const wanted = await take('/wanted')
  const waiting = await world.call('bob', 'acquire_lock', { path: '/wanted', queue: true })
  const ticket = waiting.status === 'queued' ? waiting.ticket : ''
  const leaving = await world.call('bob', 'acquire_lock', { path: '/held', queue: true })
  const { ask } = await world.call('bob', 'ask_holder', { id: wanted.id, message: 'how long?' })
  return {
    open_session: { who: 'ann', input: { name: 'new' } },
    list_sessions: { who: 'ann', input: {} },
    end_session: { who: 'ann', input: { id: 'ann:extra' } },
    list_workspaces: { who: 'ann', input: {} },
    get_workspace: { who: 'ann', input: { workspace: 'main' } },
    put_workspace: { who: 'admin', input: { workspace: 'made', settings: { lock_ttl_s: 7 } } },
    delete_workspace: { who: 'admin', input: { workspace: 'spare' } },
    list_agents: { who: 'sue', input: {} },
    get_agent: { who: 'sue', input: { name: 'ann' } },
    put_agent: { who: 'admin', input: { name: 'fresh', role: 'agent' } },
    delete_agent: { who: 'admin', input: { name: 'guest' } },
    create_token: { who: 'admin', input: { name: 'ann' } },
    put_group: { who: 'admin', input: { name: 'crew', rights: [] } },
    list_groups: { who: 'sue', input: {} },
    workspace_status: { who: 'ann', input: {} },
    query_audit: { who: 'ann', input: {} },
    verify_audit: { who: 'sue', input: {} },
    read_file: { who: 'ann', input: { path: '/f' } },
    read_text: { who: 'ann', input: { path: '/f' } },
    read_draft: { who: 'ann', input: { draft: await lateDraft(world) } },
    write_file: { who: 'ann', input: { path: '/new' }, content: 'new' },
    patch_file: { who: 'ann', input: { path: '/f', append: 'two\n' } },
    delete_file: { who: 'ann', input: { path: '/gone' } },
    commit: {
      who: 'ann',
      input: { changes: [{ op: 'write', path: '/many', text: 'x' }], message: 'many' },
    },
    get_entry: { who: 'ann', input: { path: '/' } },
    get_history: { who: 'ann', input: { path: '/f' } },
    acquire_lock: { who: 'ann', input: { path: '/free' } },
    change_lock: { who: 'ann', input: { id: lowered.id, to: 'read' } },
    handover_lock: { who: 'ann', input: { id: given.id, to: 'cyd:default' } },
    ask_holder: { who: 'bob', input: { id: held.id, message: 'still?' } },
    answer_ask: { who: 'ann', input: { ask, answer: 'yield' } },
    recall_lock: { who: 'sue', input: { id: held.id, reason: 'needed' } },
    extend_recall: { who: 'ann', input: { id: recalled.id } },
    list_locks: { who: 'ann', input: {} },
    get_lock: { who: 'ann', input: { id: held.id } },
    renew_lock: { who: 'ann', input: { id: held.id } },
    release_lock: { who: 'ann', input: { id: back.id } },
    release_all_locks: { who: 'ann', input: {} },
    wait_for_lock: { who: 'bob', input: { ticket, wait: 0 } },
    leave_queue: {
      who: 'bob',
      input: { ticket: leaving.status === 'queued' ? leaving.ticket : '' },
    },
  }
}

/** What a writer keeps whose lock was taken from it. */
async function lateDraft(world: EngineWorld): Promise<string> {
  const { lock } = await world.lock('ann', '/late')
  await world.call('sue', 'release_lock', { id: lock.id, force: true, reason: 'needed' })
  await world.call('ann', 'write_file', { path: '/late' }, 'late').catch(() => {})
  const { drafts } = await world.call('ann', 'workspace_status', {})
  return drafts[0]?.draft ?? 'D0'
}
