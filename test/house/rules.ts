import { CASES } from './cases.ts'
import { type RuleId, rulesIn } from './citation.ts'
import { filesIn } from './source.ts'
import { pages, type Rule, rules } from './spec.ts'

/**
 * Names of tests: the first argument of `it`, `test` and `describe`, also behind `.each(…)` and its
 * like, and the `title` of a story that is played through every door.
 */
const NAMES =
  /(?:\b(?:it|test|describe)(?:\.\w+)*|\))\(\s*([`'"])(.*?)\1,|\btitle:\s*([`'"])(.*?)\3,?$/gm

export interface NamedTest {
  name: string
  file: string
}

export function namedTests(): NamedTest[] {
  return filesIn('test', '.ts')
    .concat(filesIn('src', '.test.ts'))
    .filter((file) => !file.path.startsWith('test/house/citation'))
    .flatMap(({ path, text }) => namesIn(text).map((name) => ({ name, file: path })))
}

export function namesIn(text: string): string[] {
  return [...text.matchAll(NAMES)].map(([, , name, , title]) => (name ?? title) as string)
}

/**
 * Rules by the tests whose names begin with them, or with a list of them.
 * @param most names with more rules than that are left out: one that is of forty is proof of none
 */
export function testsByRule(most = Number.POSITIVE_INFINITY): Map<RuleId, Set<string>> {
  const parts = pages().map((page) => page.part)
  const found = new Map<RuleId, Set<string>>()
  for (const { name, file } of namedTests()) {
    const named = rulesIn(name, parts)
    if (named.length > most) continue
    for (const rule of named) {
      const files = found.get(rule) ?? new Set()
      found.set(rule, files.add(file))
    }
  }
  return found
}

/** `docs/rules.md`, made of `docs/spec`, the cases and the names of the tests. */
export function rulesPage(): string {
  const tests = testsByRule()
  const filesOf = (rule: RuleId): string =>
    [...(tests.get(rule) ?? [])]
      .sort()
      .map((path) => `\`${path}\``)
      .join(', ')
  const rowOf = (rule: Rule): string => {
    const { id, says, isBuilt, isPartial, page, anchor } = rule
    const link = `[${id}](${page.replace('docs/', '')}#${anchor})`
    return `| ${link} | ${says}${isPartial ? ' (in part)' : ''} | ${isBuilt ? filesOf(id) : 'not built'} |`
  }
  const whole = pages()
    .filter(({ part }) => tests.has(part))
    .map(
      ({ part, path }) =>
        `| [${part}](${path.replace('docs/', '')}) | the page as a whole | ${filesOf(part)} |`,
    )
  return [
    '# Rules and their tests',
    '',
    'Made by `node test/house/rules-page.ts` from [the rules](spec/README.md), which stand there in full, and from the names of tests, which begin with the rules they hold.',
    '',
    '| rule | says | tests |',
    '|---|---|---|',
    ...rules().map(rowOf),
    ...whole,
    '',
    '## Inputs that clients really send',
    '',
    'Tests of siblings found beside a case begin with its id and a plus sign.',
    '',
    '| case | what holds | tests |',
    '|---|---|---|',
    ...Object.entries(CASES).map(([id, text]) => `| ${id} | ${text} | ${filesOf(id)} |`),
    '',
  ].join('\n')
}
