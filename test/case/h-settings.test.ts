import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkConfigFile } from '../../src/cli/config-check.ts'
import { readConfigFile } from '../../src/cli/config-file.ts'
import { repeatedKey } from '../../src/cli/repeated-key.ts'
import { Place } from '../cli/sluice.ts'

/** `cases` H4: what is set is in force, or somebody is told that it is not. */
function written(place: Place, text: string): string {
  const path = join(place.folder, 'sluice.config.json')
  writeFileSync(path, text)
  return path
}

async function refusal(place: Place, text: string): Promise<string> {
  try {
    const file = readConfigFile(written(place, text))
    if (file !== undefined) await checkConfigFile(file)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('H4: a key of the configuration that means nothing is refused, naming the near one', async () => {
  const place = new Place()
  const cases: [string, RegExp][] = [
    ['{"prot": 1}', /there is no setting "prot"\. Did you mean "port"\?/],
    ['{"log_level": "info"}', /Did you mean "log-level"\?/],
    ['{"lcok": {"ttl": 5}}', /Did you mean "lock"\?/],
    ['{"lock": {"tll": 5}}', /no setting "tll" of "lock"\. Did you mean "ttl"\?/],
    ['{"agents": {"add": {"rol": "human"}}}', /"rol" of "agents add"\. Did you mean "role"\?/],
    ['{"agents": {"ad": {"role": "human"}}}', /"ad" of "agents"\. Did you mean "add"\?/],
    ['{"__proto__": {"port": 1}}', /no setting "__proto__"/],
    ['{"lock": {"constructor": 1}}', /no setting "constructor" of "lock"/],
    // In the wrong place.
    ['{"ttl": 5}', /It is one of "lock": write "lock": \{"ttl": …\}/],
    ['{"serve": {"port": 1}}', /"port" stands at the top of the file/],
  ]
  for (const [text, says] of cases) expect(await refusal(place, text), text).toMatch(says)
})

test('H4: a value of a wrong kind is refused, whichever command reads the file', async () => {
  const place = new Place()
  const cases: [string, RegExp][] = [
    ['{"port": true}', /port: must be a number/],
    ['{"port": "80x"}', /port: "80x" is not a number/],
    ['{"data": {}}', /data: must be a text/],
    ['{"data": ""}', /data: the name of the folder is empty/],
    ['{"json": "perhaps"}', /json: "perhaps" is neither true nor false/],
    ['{"allow-host": [1]}', /allow-host: a text or a list of texts/],
    ['{"log-level": "loud"}', /log-level: "loud" is none of fatal/],
    ['{"lock": {"wait": "x"}}', /wait: "x" is not a number/],
    ['{"agents": {"add": {"role": "king"}}}', /role: "king" is none of/],
    ['{"lock": 5}', /"lock" is a command; its settings stand in an object/],
    ['{"agents": {"add": []}}', /"agents add" is a command/],
    ['[]', /must hold one JSON object/],
  ]
  for (const [text, says] of cases) expect(await refusal(place, text), text).toMatch(says)
  written(place, '{"port": true}')
  expect(await place.run(['ls'])).toMatchObject({ code: 2, out: '' })
})

test('H4: what is right passes: every place a setting may stand, a note for editors, null', async () => {
  const place = new Place()
  const right = {
    $schema: 'https://example.org/x.json',
    port: 0,
    'allow-host': 'files.example.org',
    host: null,
    lock: { ttl: 5, level: null },
    put: null,
    agents: { add: { role: 'human', right: ['/=read'] } },
  }
  expect(await refusal(place, `\uFEFF${JSON.stringify(right)}`)).toBe('')
})

test('H4+: a key that stands twice is refused instead of the last being taken', async () => {
  const place = new Place()
  expect(await refusal(place, '{"port": 1, "port": 2}')).toContain('says "port" twice')
  expect(await refusal(place, '{"lock": {"ttl": 1, "\\u0074tl": 2}}')).toContain('"ttl" twice')
  expect(repeatedKey('{"a": {"b": 1}, "c": [{"b": 1}, {"b": "\\"b\\": {"}], "b": "a"}')).toBe(
    undefined,
  )
  expect(repeatedKey('[{"a": 1}, {"b": [1, {"c": 1, "c" : 2}]}]')).toBe('c')
})

test('H4: config prints all that is in force, where from, and what that wins over', async () => {
  const place = new Place()
  const text = JSON.stringify({ port: 1, lock: { ttl: 5 }, agents: { add: { role: 'human' } } })
  const file = written(place, text)
  const env = { SLUICE_PORT: '2', SLUICE_LS_DEPTH: '3' }
  const ran = await place.run(['config', '--port', '3', '--json'], { env })
  const { settings, file: said } = JSON.parse(ran.out) as {
    file: string
    settings: { setting: string }[]
  }
  expect(said).toBe(file)
  expect(Object.fromEntries(settings.map((row) => [row.setting, row]))).toMatchObject({
    port: { value: 3, source: 'flag', from: '--port', over: ['SLUICE_PORT', file] },
    session: { value: 'cli', source: 'environment' },
    'lock.ttl': { value: 5, source: 'file', from: file, over: [] },
    'lock.wait': { value: 0, source: 'default' },
    'ls.depth': { value: 3, source: 'environment', from: 'SLUICE_LS_DEPTH' },
    'agents.add.role': { value: 'human', source: 'file', environment: 'SLUICE_AGENTS_ADD_ROLE' },
  })
  const people = await place.run(['config', '--port', '3'], { env })
  expect(people.out).toContain(`--port, not SLUICE_PORT or ${file}`)
})

test('H4: what the file says for a command within a command is in force', async () => {
  const place = new Place()
  await place.open()
  written(place, JSON.stringify({ agents: { add: { role: 'human' } } }))
  expect((await place.run(['agents', 'add', 'ann'])).out).toMatch(/ann\s+human/)
})

test('H4: a variable that is no setting is told on stderr with the near one, and refuses nothing', async () => {
  const place = new Place()
  await place.open()
  const env = {
    SLUICE_LCOK_TTL: '5',
    SLUICE_WORKSPCE: 'x',
    // Kubernetes, for a service of this name.
    SLUICE_SERVICE_HOST: '10.0.0.1',
    // What `sluice lock` sets, and a setting of another command.
    SLUICE_LOCK: 'L1.x',
    SLUICE_FENCE: '1',
    SLUICE_PATHS: '/a',
    SLUICE_LOCK_TTL: '5',
    SLUICE_AGENTS_ADD_ROLE: 'human',
  }
  const ran = await place.run(['ls'], { env })
  expect(ran.code).toBe(0)
  expect(ran.err).toMatch(/^sluice: ignored, because there is no such setting: [^\n]+\.\n$/)
  expect(ran.err).toContain('SLUICE_LCOK_TTL (did you mean SLUICE_LOCK_TTL?)')
  expect(ran.err).toContain('SLUICE_WORKSPCE (did you mean SLUICE_WORKSPACE?)')
  expect(ran.err).toContain('SLUICE_SERVICE_HOST')
  expect(ran.err).not.toMatch(/SLUICE_(FENCE|PATHS|AGENTS|LOCK_TTL \()/)
  // Programs read problems there.
  expect((await place.run(['rm', '/nope', '--json'], { env })).err).toMatch(/^\{/)
  expect((await place.run(['ls', '--json'], { env })).err).toBe('')
})
