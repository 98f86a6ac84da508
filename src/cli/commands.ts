import type { Command, Commands } from './command.ts'

/**
 * All commands. Each is loaded when it is run or when help for all is asked: most of the time of a
 * short command is loading.
 */
export const COMMANDS: Commands = {
  serve: async () => (await import('./command/serve.ts')).serve,
  mcp: async () => (await import('./command/mcp.ts')).mcp,
  status: fromRow('workspace_status'),
  locks: async () => (await import('./command/locks.ts')).locks,
  lock: async () => (await import('./command/lock.ts')).lock,
  unlock: fromRow('release_lock'),
  change: fromRow('change_lock'),
  handover: fromRow('handover_lock'),
  ask: fromRow('ask_holder'),
  answer: fromRow('answer_ask'),
  recall: fromRow('recall_lock'),
  extend: fromRow('extend_recall'),
  ls: async () => (await import('./command/ls.ts')).ls,
  cat: async () => (await import('./command/cat.ts')).cat,
  put: async () => (await import('./command/put.ts')).put,
  rm: fromRow('delete_file'),
  history: fromRow('get_history'),
  log: async () => (await import('./command/log.ts')).log,
  watch: async () => (await import('./command/watch.ts')).watch,
  agents: async () => (await import('./command/agents.ts')).agents,
  groups: async () => (await import('./command/groups.ts')).groups,
  token: fromRow('create_token'),
  call: async () => (await import('./command/call.ts')).call,
  config: async () => (await import('./command/config.ts')).config,
  doctor: async () => (await import('./command/doctor.ts')).doctor,
  bench: async () => (await import('./command/bench.ts')).bench,
}

type FromRow = Parameters<typeof import('./command/from-rows.ts').commandFromRow>[0]

function fromRow(operation: FromRow): () => Promise<Command> {
  return async () => (await import('./command/from-rows.ts')).commandFromRow(operation)
}
