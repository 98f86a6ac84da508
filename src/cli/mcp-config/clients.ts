import type { Launch } from './launch.ts'
import { configFolder, pathOf, type Surroundings, settingsFolder } from './surroundings.ts'

/** For everything that a person does, or for one project. */
export type Scope = 'user' | 'project'

/** An MCP client that starts its servers itself: docs/clients.md says the same in words. */
export interface Client {
  title: string
  format: 'json' | 'toml'
  /** What its servers stand under. */
  key: string
  /** Where its file lies; the first is meant where nothing is said. */
  files: readonly { scope: Scope; at(around: Surroundings): string }[]
  /** What it needs besides, or in another form. */
  entry?(launch: Launch): object
  /** What it would put something else for, also in the name of a folder. */
  substitutes?: RegExp
  /** It is started by the desktop and does not look where a terminal looks. */
  hasOtherPath?: true
  /** Its own command for a scope whose file is not to be written by others. */
  adds?: Partial<Record<Scope, string>>
  /** What makes it read the file. */
  toLoad: string
}

export const CLIENTS: Readonly<Record<string, Client>> = {
  'claude-desktop': {
    title: 'Claude Desktop',
    format: 'json',
    key: 'mcpServers',
    files: [{ scope: 'user', at: claudeDesktopFile }],
    hasOtherPath: true,
    toLoad: 'Quit Claude Desktop and start it again.',
  },
  'claude-code': {
    title: 'Claude Code',
    format: 'json',
    key: 'mcpServers',
    files: [inProject('.mcp.json')],
    substitutes: /\$\{/,
    adds: { user: 'claude mcp add --scope user' },
    toLoad: 'Start claude in this folder, and approve the server when it asks.',
  },
  cursor: {
    title: 'Cursor',
    format: 'json',
    key: 'mcpServers',
    files: [inProject('.cursor', 'mcp.json'), inHome('.cursor', 'mcp.json')],
    substitutes: /\$\{/,
    toLoad: 'Restart Cursor, and see that the server is switched on in its settings.',
  },
  windsurf: {
    title: 'Windsurf',
    format: 'json',
    key: 'mcpServers',
    files: [inHome('.codeium', 'windsurf', 'mcp_config.json')],
    substitutes: /\$\{/,
    toLoad: 'Restart Windsurf.',
  },
  devin: {
    title: 'Devin Desktop',
    format: 'json',
    key: 'mcpServers',
    files: [
      {
        scope: 'user',
        at: (around) => pathOf(around).join(configFolder(around), 'devin', 'mcp_config.json'),
      },
      inProject('.devin', 'mcp_config.json'),
    ],
    substitutes: /\$\{/,
    toLoad: 'Restart Devin Desktop.',
  },
  vscode: {
    title: 'VS Code',
    format: 'json',
    key: 'servers',
    files: [
      inProject('.vscode', 'mcp.json'),
      {
        scope: 'user',
        at: (around) => pathOf(around).join(settingsFolder(around), 'Code', 'User', 'mcp.json'),
      },
    ],
    entry: (launch) => ({ type: 'stdio', ...launch }),
    substitutes: /\$\{/,
    toLoad: 'Start the server with "MCP: List Servers", and trust it when VS Code asks.',
  },
  codex: {
    title: 'Codex',
    format: 'toml',
    key: 'mcp_servers',
    files: [{ scope: 'user', at: codexFile }, inProject('.codex', 'config.toml')],
    toLoad: 'Start Codex again.',
  },
  gemini: {
    title: 'Gemini CLI',
    format: 'json',
    key: 'mcpServers',
    files: [inProject('.gemini', 'settings.json'), inHome('.gemini', 'settings.json')],
    substitutes: /\$/,
    toLoad: 'Start gemini again.',
  },
  zed: {
    title: 'Zed',
    format: 'json',
    key: 'context_servers',
    files: [{ scope: 'user', at: zedFile }],
    entry: (launch) => ({ ...launch, env: {} }),
    toLoad: 'Zed reads it at once.',
  },
}

function inProject(...names: readonly string[]): Client['files'][number] {
  return { scope: 'project', at: (around) => pathOf(around).join(around.project, ...names) }
}

function inHome(...names: readonly string[]): Client['files'][number] {
  return { scope: 'user', at: (around) => pathOf(around).join(around.home, ...names) }
}

/** Installed as a package of Windows, it is shown another folder than the one it asks for. */
function claudeDesktopFile(around: Surroundings): string {
  const { join } = pathOf(around)
  const [own] = around.claudePackages
  const { LOCALAPPDATA } = around.env
  const folder =
    own === undefined || LOCALAPPDATA === undefined
      ? settingsFolder(around)
      : join(LOCALAPPDATA, 'Packages', own, 'LocalCache', 'Roaming')
  return join(folder, 'Claude', 'claude_desktop_config.json')
}

function codexFile(around: Surroundings): string {
  const { join } = pathOf(around)
  return join(around.env.CODEX_HOME || join(around.home, '.codex'), 'config.toml')
}

function zedFile(around: Surroundings): string {
  const name = around.platform === 'win32' ? 'Zed' : 'zed'
  return pathOf(around).join(configFolder(around), name, 'settings.json')
}
