import type { Setting } from './setting.ts'

/** The settings that many commands share, and those of `serve` and `mcp`: keys at the top level. */
export const SHARED = {
  data: {
    name: 'data',
    kind: 'text',
    placeholder: 'dir',
    describes: 'Data folder of the server on this machine; in a folder that is served, its own',
    fallback: './data',
    isPath: true,
  },
  url: {
    name: 'url',
    kind: 'text',
    placeholder: 'url',
    describes: 'Address of the server; default: the one that serves the data folder',
  },
  token: {
    name: 'token',
    kind: 'text',
    placeholder: 'token',
    describes: 'Token to authenticate with; default: admin.token of the data folder',
    isSecret: true,
  },
  agent: {
    name: 'agent',
    kind: 'text',
    placeholder: 'name',
    describes: 'Work as this agent; needs the token of an admin',
  },
  session: {
    name: 'session',
    kind: 'text',
    placeholder: 'name',
    describes: 'Whose locks and reads count; default: those of this terminal, if there is one',
  },
  workspace: {
    name: 'workspace',
    kind: 'text',
    placeholder: 'name',
    describes: 'Workspace to work in',
    fallback: 'main',
    field: 'workspace',
  },
  json: { name: 'json', kind: 'flag', describes: 'Print JSON for programs' },
  config: {
    name: 'config',
    kind: 'text',
    placeholder: 'file',
    describes: 'Configuration file; default: sluice.config.json in this folder, if there is one',
  },
  host: {
    name: 'host',
    kind: 'text',
    placeholder: 'address',
    describes: 'Address to listen on',
    fallback: '127.0.0.1',
  },
  port: {
    name: 'port',
    kind: 'number',
    placeholder: 'number',
    describes: 'Port to listen on; 0 takes any free one',
    fallback: 7420,
  },
  'allow-host': {
    name: 'allow-host',
    kind: 'list',
    placeholder: 'name',
    describes: 'A name besides loopback that clients may call this server by',
  },
  'allow-origin': {
    name: 'allow-origin',
    kind: 'list',
    placeholder: 'origin',
    describes:
      'An origin whose pages may call this server from a browser (https://app.example.org); default: none',
  },
  'log-level': {
    name: 'log-level',
    kind: 'text',
    describes: 'Least level that is logged, as JSON on stderr',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    fallback: 'warn',
  },
  'idle-exit': {
    name: 'idle-exit',
    kind: 'number',
    placeholder: 'seconds',
    describes: 'End after this long without a connection; 0: never',
    fallback: 0,
  },
  folder: {
    name: 'folder',
    kind: 'list',
    placeholder: 'name=dir',
    describes: 'Keep a workspace in step with a folder that is on disk; several make several roots',
  },
  tools: {
    name: 'tools',
    kind: 'list',
    placeholder: 'profile|names',
    describes: 'Tools to offer: files, core or full, or names of tools by comma',
  },
} as const satisfies Record<string, Setting>

/** What every command that talks to a server takes. */
export const CONNECTION: readonly Setting[] = [
  SHARED.data,
  SHARED.url,
  SHARED.token,
  SHARED.agent,
  SHARED.session,
  SHARED.config,
]

/** How the tokens of locks are given; a command run by `sluice lock` finds one in its environment. */
export const LOCK_TOKENS: Partial<Setting> = {
  name: 'lock',
  also: 'locks',
  placeholder: 'token',
  environment: 'SLUICE_LOCK',
  isSecret: true,
}
