import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CLIENTS } from '../../src/cli/mcp-config/clients.ts'
import { wholeText } from '../../src/cli/mcp-config/merge.ts'
import type { Surroundings } from '../../src/cli/mcp-config/surroundings.ts'

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8')
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
)

const ARGS = ['mcp', '/home/ann/notes']
const BY_NAME = { command: 'sluice', args: ARGS }
const BY_PATH = {
  command: '/usr/bin/node',
  args: ['/usr/lib/node_modules/sluice/bin/sluice.cjs', ...ARGS],
}

/** As a person writes the places. */
const SYSTEMS: readonly Surroundings[] = [
  { platform: 'darwin', home: '~', project: '', env: {}, claudePackages: [] },
  { platform: 'linux', home: '~', project: '', env: {}, claudePackages: [] },
  {
    platform: 'win32',
    home: '%USERPROFILE%',
    project: '',
    env: { APPDATA: '%APPDATA%', LOCALAPPDATA: '%LOCALAPPDATA%' },
    claudePackages: [],
  },
]

for (const [word, client] of Object.entries(CLIENTS)) {
  test(`files §20: docs/clients.md says what sluice mcp config ${word} prints, where it goes on each system, and how to write it`, () => {
    const section = sections.get(client.title)
    const launch = client.hasOtherPath === true ? BY_PATH : BY_NAME
    const text = wholeText({ client, name: 'sluice', launch })
    expect(section).toContain(`\`\`\`${client.format}\n${text}\`\`\`\n`)
    for (const { scope, at } of client.files) {
      for (const system of scope === 'user' ? SYSTEMS : SYSTEMS.slice(0, 2)) {
        expect(section).toContain(`\`${at(system)}\``)
      }
    }
    expect(section).toContain(`\`sluice mcp config ${word} `)
    expect(page.slice(0, page.indexOf('\n## '))).toContain(`\`${word}\``)
  })
}

test('the file of Claude Desktop is the one its package on Windows reads, and XDG_CONFIG_HOME and CODEX_HOME count', () => {
  const [, linux, windows] = SYSTEMS
  if (linux === undefined || windows === undefined) return expect.unreachable()
  const place = (word: string, around: Surroundings) => CLIENTS[word]?.files[0]?.at(around)
  expect(place('claude-desktop', { ...windows, claudePackages: ['Claude_…'] })).toBe(
    '%LOCALAPPDATA%\\Packages\\Claude_…\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json',
  )
  const env = { XDG_CONFIG_HOME: '/xdg', CODEX_HOME: '/codex' }
  expect(place('zed', { ...linux, env })).toBe('/xdg/zed/settings.json')
  expect(place('codex', { ...linux, env })).toBe('/codex/config.toml')
  expect(place('zed', { ...linux, env: { XDG_CONFIG_HOME: 'odd' } })).toBe(
    '~/.config/zed/settings.json',
  )
})
