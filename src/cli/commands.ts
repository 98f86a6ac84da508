import type { Commands } from './command.ts'

/**
 * All commands. Each is loaded when it is run or when help for all is asked: most of the time of a
 * short command is loading.
 */
export const COMMANDS: Commands = {
  serve: async () => (await import('./command/serve.ts')).serve,
  mcp: async () => (await import('./command/mcp.ts')).mcp,
  status: async () => (await import('./command/status.ts')).status,
  locks: async () => (await import('./command/locks.ts')).locks,
  lock: async () => (await import('./command/lock.ts')).lock,
  unlock: async () => (await import('./command/unlock.ts')).unlock,
  change: async () => (await import('./command/change.ts')).change,
  handover: async () => (await import('./command/handover.ts')).handover,
  ask: async () => (await import('./command/ask.ts')).ask,
  answer: async () => (await import('./command/answer.ts')).answer,
  recall: async () => (await import('./command/recall.ts')).recall,
  extend: async () => (await import('./command/extend.ts')).extend,
  ls: async () => (await import('./command/ls.ts')).ls,
  cat: async () => (await import('./command/cat.ts')).cat,
  put: async () => (await import('./command/put.ts')).put,
  rm: async () => (await import('./command/rm.ts')).rm,
  history: async () => (await import('./command/history.ts')).history,
  log: async () => (await import('./command/log.ts')).log,
  watch: async () => (await import('./command/watch.ts')).watch,
  agents: async () => (await import('./command/agents.ts')).agents,
  groups: async () => (await import('./command/groups.ts')).groups,
  token: async () => (await import('./command/token.ts')).token,
  call: async () => (await import('./command/call.ts')).call,
  config: async () => (await import('./command/config.ts')).config,
  doctor: async () => (await import('./command/doctor.ts')).doctor,
  bench: async () => (await import('./command/bench.ts')).bench,
}
