import fc from 'fast-check'

/** Values for fields: near enough to right that many get through, and wrong in every way we know. */

const LONG = 'n'.repeat(255)

/** Canonical paths that the requests of a round share, so that they meet. */
export const PATHS = ['/a', '/b.txt', '/d', '/d/a', '/d/b', '/d/e/f', '/d/e/g', '/x.csv', '/']

/** files §19: what a path may not be, or may be and is easily taken for something else. */
export const HOSTILE_PATHS = [
  '',
  '//',
  '/.',
  '/..',
  '/../x',
  '/d/../../x',
  '/d/../a',
  'a',
  '/d//a/',
  '/A',
  '/D/a',
  '/a\\b',
  '\\..\\x',
  '/%2e%2e/x',
  '/%00',
  '/d%2fa',
  '/nul\u0000',
  '/bell\u0007',
  '/line\n',
  '/del\u007f',
  '/c1\u0085',
  '/lone\ud800',
  '/\udc00lone',
  '/caf\u00e9',
  '/cafe\u0301',
  '/\u202egnp',
  '/\u{1f4a5}',
  '/\uff0e\uff0e/x',
  '/a:b',
  '/con',
  '/a ',
  '/a.',
  '/__proto__',
  '/constructor/prototype',
  `/${LONG}`,
  `/${LONG}n`,
  `/${'\u00e9'.repeat(127)}`,
  `/${'\u00e9'.repeat(128)}`,
  `${`/${LONG}`.repeat(16)}`,
  `${`/${LONG}`.repeat(17)}`,
  `/${'a/'.repeat(2047)}`,
  `/${'x'.repeat(100_000)}`,
]

export const path = fc.oneof(
  { weight: 24, arbitrary: fc.constantFrom(...PATHS) },
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_PATHS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

/** Anything that JSON and MessagePack can say. */
export const junk = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1e308, -0.5, 2 ** 53, '', 'x', [], {}, [[]]),
  fc.constantFrom('__proto__', 'NaN', 'Infinity', '1e3', ' 1', '0x10', '\u0000', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant({ __proto__: null, toString: 1 }),
)

const text = fc.oneof(
  fc.constantFrom('', 'x', 'one\ntwo\nthree\n', 'one', '\u0000', 'caf\u00e9', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constant('y'.repeat(70_000)),
)
const edits = fc.array(
  fc.record({ oldText: fc.constantFrom('one', 'x', 'two', 'y', ''), newText: text }),
  { maxLength: 3 },
)
const version = fc.oneof(fc.nat(40), fc.constantFrom('7', '07', -1, 1.5, 2 ** 53))
const level = fc.constantFrom('read', 'write', 'exclusive')
const flag = fc.oneof(fc.boolean(), fc.constantFrom('true', 'false', '1', 'yes', 'maybe'))
const name = fc.constantFrom('main', 'agent-a', 'agent-b', 'eve', 'admin', '.', '..', 'a b', '')
const change = fc.oneof(
  fc.record({ op: fc.constant('write'), path, text }, { requiredKeys: ['op', 'path'] }),
  fc.record({ op: fc.constant('append'), path, text }),
  fc.record({ op: fc.constant('edit'), path, edits }),
  fc.record({ op: fc.constant('make_folder'), path }),
  fc.record({ op: fc.constantFrom('copy', 'move'), path, to: path, overwrite: fc.boolean() }),
  fc.record({ op: fc.constant('delete'), path, recursive: fc.boolean() }),
  fc.record({ op: fc.constantFrom('write', 'chmod'), path: junk, text: junk }),
)
const right = fc.record({ workspace: name, path, access: fc.constantFrom('none', 'read', 'write') })

const bound = fc.oneof(fc.nat(30), fc.constantFrom(-1, 1.5, 2 ** 53, '3'))
const range = fc.record({ start: bound, end: bound }, { requiredKeys: ['start'] })
const lines = fc.record({ from: bound, to: bound, version }, { requiredKeys: ['from', 'version'] })

/** Time stands still in a round, so a wait would never end. */
export const noWait = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(0, '0') },
  { weight: 1, arbitrary: fc.constantFrom(-1, 26, 1e9, 'x', null) },
)

/** What a field of that name usually is, in operations and in tools. */
export const FIELDS: Record<string, fc.Arbitrary<unknown>> = {
  workspace: fc.constantFrom(...Array<string>(12).fill('main'), 'other', '..', ''),
  path,
  paths: fc.array(path, { maxLength: 4 }),
  source: path,
  destination: path,
  // A path, a level, an agent or a session: as the operation has it.
  to: fc.oneof(path, level, fc.constantFrom('agent-a', 'agent-b:default', 'renew', 'extend')),
  items: fc.array(
    fc.record(
      { path, level, range, lines, key: fc.constant('metadata') },
      { requiredKeys: ['path'] },
    ),
    { maxLength: 5 },
  ),
  range,
  lines,
  key: fc.constantFrom('metadata', 'content', 'x'),
  any: fc.constantFrom(1, 2, 0, 128, 129, '1'),
  lock_delay: fc.constantFrom(0, 1, 60, 61, -1),
  replace: fc.record({ text, range }, { requiredKeys: ['text'] }),
  ask: fc.nat(60).map((n) => `A${n}`),
  answer: fc.constantFrom('yield', 'estimate', 'no', 'maybe'),
  estimate_s: fc.constantFrom(0, 30, -1, 1e9),
  grace: fc.constantFrom(0, 30, 3600, 3601, -1),
  draft: fc.nat(60).map((n) => `D${n}`),
  hand_to: name,
  changes: fc.array(change, { maxLength: 5 }),
  edits,
  append: text,
  content: text,
  text,
  level,
  type: level,
  scope: fc.constantFrom('file', 'subtree'),
  ttl: fc.constantFrom(1, 300, 60, 86_400, '60', 0, 86_401, Number.NaN),
  wait: noWait,
  id: fc
    .oneof(
      { weight: 9, arbitrary: fc.nat(60) },
      { weight: 1, arbitrary: fc.constantFrom('x', '', '99999999999999999999') },
    )
    .map((n) => `L${n}`),
  lock_id: fc.nat(60).map((n) => `L${n}`),
  ticket: fc.nat(60).map((n) => `T${n}`),
  at: version,
  before: version,
  if_version: version,
  since: version,
  until: fc.constantFrom('2026-01-31T12:00:00Z', '9999-12-31T23:59:59Z', 'soon'),
  depth: fc.constantFrom(0, 1, 64, 65, '2', -1),
  limit: fc.constantFrom(1, 2, 1000, 1001, 0, '5'),
  head: fc.constantFrom(0, 1, 5, -1),
  tail: fc.constantFrom(0, 1, 5, -1),
  offset: fc.constantFrom(0, 1, 5, -1),
  cursor: fc.oneof(path, fc.string()),
  priority: fc.constantFrom(0, 5, 9, 10, -1),
  renew: fc.constantFrom('activity', 'explicit', 'x'),
  intent: text,
  message: text,
  reason: text,
  label: text,
  run: name,
  name,
  agent: name,
  owner: name,
  group: name,
  role: fc.constantFrom('agent', 'supervisor', 'human', 'admin', 'god'),
  rights: fc.array(right, { maxLength: 3 }),
  settings: fc.constantFrom(
    {},
    { write_mode: 'locked' },
    { write_mode: 'open' },
    { order: 'priority' },
    { order: 'bidding' },
    { max_hold_s: 1, recall_grace_s: 0 },
    { lock_delay_s: 61 },
    { x: 1 },
  ),
  locks: fc.oneof(fc.array(fc.string(), { maxLength: 2 }), fc.string()),
  lock_token: fc.string({ maxLength: 60 }),
  request_id: fc.constantFrom('r1', 'r2', 'r3', '', 'r'.repeat(129)),
  pattern: fc.constantFrom('**', '*', '[', '{a,b}', '{'.repeat(50), '**/'.repeat(40), '!'),
  sortBy: fc.constantFrom('name', 'size', 'x'),
  excludePatterns: fc.array(fc.constantFrom('d', '**/e/**', '*.txt', '[', '!x'), { maxLength: 3 }),
  kind: fc.constantFrom('files-committed', 'x'),
  outcome: fc.constantFrom('done', 'refused', 'x'),
  secret: fc.string(),
  about: fc.constantFrom({}, { model: 'm' }, { x: 1 }),
}

/** Mostly what the field usually is; now and then something else. */
export function fieldValue(field: string): fc.Arbitrary<unknown> {
  const usual = FIELDS[field] ?? flag
  if (field === 'wait') return usual
  return fc.oneof({ weight: 24, arbitrary: usual }, { weight: 1, arbitrary: junk })
}
