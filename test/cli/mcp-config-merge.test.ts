import { expect, test } from 'vitest'
import { mergeJson } from '../../src/cli/mcp-config/json-merge.ts'
import { mergeToml } from '../../src/cli/mcp-config/toml-merge.ts'

const ENTRY = { command: 'x', args: ['mcp', '/d'] }
const TABLE = '[mcp_servers.sluice]\ncommand = "x"\nargs = ["mcp", "/d"]\n'

function json(text: string, isForced = false) {
  return mergeJson(text, ['mcpServers', 'sluice'], ENTRY, isForced)
}

function toml(text: string, isForced = false) {
  return mergeToml(text, ['mcp_servers', 'sluice'], ENTRY, isForced)
}

test('an entry goes into JSON without a change to any other byte', () => {
  const lines = ['{', '\t"a": [1,2],', '\t"mcpServers": {', '\t\t"b": {}', '\t}', '}', '']
  const own = ['\t\t"b": {},', '\t\t"sluice": {', '\t\t\t"command": "x",', '\t\t\t"args": [']
  const rest = ['\t\t\t\t"mcp",', '\t\t\t\t"/d"', '\t\t\t]', '\t\t}']
  const merged = [...lines.slice(0, 3), ...own, ...rest, ...lines.slice(4)]
  expect(json(lines.join('\n'))).toEqual({ kind: 'merged', text: merged.join('\n') })
  // Line ends and the mark of an editor on Windows.
  const windows = `\uFEFF${lines.join('\r\n')}`
  expect(json(windows)).toEqual({ kind: 'merged', text: `\uFEFF${merged.join('\r\n')}` })
})

test.each([
  ['{}', '{\n  "mcpServers": {\n    "sluice": '],
  ['{"a": 1}', '{"a": 1, "mcpServers": {"sluice":'],
  ['{"mcpServers": {"b": "}"}}', '{"mcpServers": {"b": "}", "sluice": {'],
  ['{"mcpServers":{}, "n": 12345678901234567890}', '{"mcpServers":{\n    "sluice": {'],
  ['{\n    "n": 1e400\n}', '{\n    "n": 1e400,\n    "mcpServers": {\n        "sluice": {'],
  ['{"x": {"mcpServers": {"sluice": 1}}}', '{"x": {"mcpServers": {"sluice": 1}}, "mcpServers"'],
])('an entry goes into %s', (before, start) => {
  const merged = json(before)
  expect(merged).toMatchObject({ kind: 'merged', text: expect.stringContaining(start) })
  if (merged.kind !== 'merged') return
  expect(JSON.parse(merged.text)).toMatchObject({ mcpServers: { sluice: ENTRY } })
  for (const number of ['12345678901234567890', '1e400']) {
    expect(merged.text.includes(number)).toBe(before.includes(number))
  }
})

test('an entry of the name in JSON is told to be the same, or another that gives way by force only', () => {
  const same = { mcpServers: { sluice: { args: ENTRY.args, command: 'x' } } }
  expect(json(JSON.stringify(same))).toEqual({ kind: 'same' })
  const other = '{"mcpServers": {"sluice": {"command": "y", "env": {"a": "}"}}, "b": {}}}'
  expect(json(other)).toEqual({ kind: 'other' })
  expect(json(other, true)).toEqual({
    kind: 'merged',
    text: '{"mcpServers": {"sluice": {"command":"x","args":["mcp","/d"]}, "b": {}}}',
  })
})

test('a table goes behind TOML without a change to any other byte', () => {
  const text = [
    '# mine',
    'model = "x" # [mcp_servers.sluice]',
    'notes = """',
    '[mcp_servers.sluice]',
    '"""',
    "quiet = '''\n[[mcp_servers]]\n'''",
    'list = [ # one',
    '  "]", [1, 2],',
    ']',
    '[mcp_servers.other]',
    'args = ["[mcp_servers.sluice]"]',
    '[[things]]',
    'a = { b = "}" }',
  ].join('\n')
  expect(toml(text)).toEqual({ kind: 'merged', text: `${text}\n\n${TABLE}` })
  const windows = `${text}\n`.replaceAll('\n', '\r\n')
  const table = `\r\n${TABLE.replaceAll('\n', '\r\n')}`
  expect(toml(windows)).toEqual({ kind: 'merged', text: windows + table })
})

test.each([
  TABLE,
  `a = 1\n${TABLE}\n[b]\n`,
  '[ mcp_servers . "sluice" ]\nargs = [\n  "mcp", # which\n  "/d",\n]\ncommand = "x"',
  `\uFEFF${TABLE}`,
])('a table that says the same is left alone: %j', (text) => {
  expect(toml(text)).toEqual({ kind: 'same' })
})

test('another table of the name gives way by force only, with the tables below it', () => {
  const text = [
    '[mcp_servers.sluice]',
    'command = "y" # old',
    '[mcp_servers.sluice.env]',
    'A = "1"',
    '# of the next',
    '[mcp_servers.other]',
    'command = "z"',
    '["mcp_servers".\'sluice\'.tools.a]',
    'b = 1',
    '[last]',
    '',
  ].join('\n')
  expect(toml(text)).toEqual({ kind: 'other' })
  expect(toml(text, true)).toEqual({
    kind: 'merged',
    text: `${TABLE}# of the next\n[mcp_servers.other]\ncommand = "z"\n[last]\n`,
  })
})

test.each([
  'mcp_servers = {}',
  'mcp_servers.sluice.command = "y"',
  '[mcp_servers]\nsluice = { command = "y" }',
  '[mcp_servers]\n"sluice".command = "y"',
  '[[mcp_servers]]\ncommand = "y"',
  '[[mcp_servers.sluice]]\ncommand = "y"',
])('a name that stands in TOML in another form is left to a person: %s', (text) => {
  const merged = toml(text, true)
  expect(merged).toMatchObject({ kind: 'unclear', why: expect.stringContaining('another form') })
})

test.each(['a = "b', 'a = """b"', 'a = [1', '[a', '[a] b', '= 1', 'a', 'a = 1\nb c = 2'])(
  'what is no TOML is left to a person: %s',
  (text) => {
    const merged = toml(text, true)
    expect(merged).toMatchObject({ kind: 'unclear', why: expect.stringContaining('TOML') })
  },
)
