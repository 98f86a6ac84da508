import { CASES } from './cases.ts'
import { filesIn } from './source.ts'

/**
 * The rules that this release keeps, in one line each. `docs/rules.md` is made from this table and
 * from the names of the tests: `node test/house/rules-page.ts` writes it, rules.test.ts checks it.
 */
export const RULES: Record<string, string> = {
  'locks §1':
    'read pins a version, hears of newer ones and never blocks a writer; write is the only writer; exclusive is alone',
  'locks §2': 'which levels go together on one path',
  'locks §3': 'intentions on every ancestor folder; the matrix',
  'locks §4': 'names are locked, existing or not; moving or deleting a folder needs all of it free',
  'locks §5': 'scope: one file, a whole subtree, or bytes of a file that move along with it',
  'locks §6': 'metadata has a key of its own and never waits for content',
  'locks §7': 'up to 128 items, one decision, all or nothing; a waiter holds nothing',
  'locks §8': 'no passing of a holder or an earlier waiter in conflict',
  'locks §9': 'wait 0 answers at once; `any: k` takes the first that are free',
  'locks §10': 'a call waits at most 25 s; the ticket keeps its place; unclaimed grants pass on',
  'locks §11': 'the same request id gets the same answer',
  'locks §12': 'asking again gives the same lock; a stronger level raises it',
  'locks §13': 'owner = agent and session',
  'locks §14': 'limits are part of the decision; empty nodes go at once',
  'locks §15': 'to write waits for writers only; upgraders to write take turns',
  'locks §16':
    'to exclusive goes ahead of those it blocks, shuts the gate, recalls; a second is refused',
  'locks §17':
    'grants name versions; `if_version` that is not current is refused, also when its turn comes; downgrade is immediate',
  'locks §18': 'by ticket; readers and exclusives alternate',
  'locks §19': 'by priority with age; nobody waits without bound',
  'locks §21': 'one agent wins at most three times in a row while another could take it',
  'locks §22': 'holders inherit the priority of those they block',
  'locks §23':
    'a request that would close a cycle is refused with the cycle by name, after reordering was tried',
  'locks §24': 'no time-out stands in for that: no false alarm',
  'locks §25': 'TTL, renewed by activity or explicitly; recall at `max_hold` while others wait',
  'locks §26': 'a lost connection ends the session after 10 s; resuming keeps its locks',
  'locks §27': 'expiry is decided with time in the command, and spread',
  'locks §28': 'after a restart every lease has its full TTL',
  'locks §29': 'a waiter whose session has ended is not granted',
  'locks §30': 'the SDK counts from the time it sent: held, suspect, lost',
  'locks §31': 'a lost lock stays closed for its delay',
  'locks §32': 'fences only grow; tokens are secret and repeatable',
  'locks §33': 'a commit needs exactly its hold, alive, and a current base',
  'locks §34': 'bytes first, only the commit publishes',
  'locks §35': 'a commit of many files, and commit and release, are one decision',
  'locks §36': 'clients get the fence for systems outside',
  'locks §37': 'asking the holder costs nothing and forces nothing',
  'locks §38':
    'recall by priority, max_hold or a supervisor: a deadline, one extension, minimum hold, cool-down',
  'locks §39': 'at the deadline that one hold is revoked; its late write is kept as a draft',
  'locks §40': 'taking a lock by force is a permission of its own, with a reason',
  'locks §41': 'handing over leaves no gap, under a new token and fence',
  'locks §42': 'release grants the next in the same decision; no polling, no herd',
  'locks §43': 'watches are ordered, resumable, gap-free',
  'locks §44':
    'everything is explainable: holders, queue, who blocks whom and for how long, statistics',
  'files §1': 'a workspace is one tree with one stream',
  'files §5': 'reads answer with version and holder; ranges, conditions, older versions',
  'files §6': 'contents stream in constant memory',
  'files §7': 'a version becomes visible whole or not at all',
  'files §8': 'write modes checked, locked, open',
  'files §9': 'what is replaced was known to its writer; a lock is no knowledge',
  'files §10': 'a write under somebody’s lock is refused, naming the holder',
  'files §11':
    'append adds to the newest, loses nothing, and is a write of the bytes from the end on',
  'files §12': 'edit applies to the newest version or says what stands there',
  'files §14': 'a commit of up to 10,000 changes, all or nothing',
  'files §15': 'copies copy no bytes; moving a folder is one change',
  'files §16': 'deletes are recoverable (collection: later)',
  'files §19': 'limits and bad input: typed, telling, changing nothing',
  'files §20': 'the official filesystem server’s tools over MCP',
  'guard §1': 'callers of one connection are sessions of their own, by name',
  'guard §2':
    'where callers cannot be told apart nothing is assumed of them; overlapping writes are told',
  I1: 'no two incompatible holds overlap',
  I2: 'fences grow',
  I5: 'versions of a file are gap-free',
  I10: 'same request id, same answer',
  I11: 'a watch is the exact slice of the stream',
  I13: 'folding from zero, or from a snapshot, gives the same state',
  I14: 'acknowledged means present after a crash',
}

/** Rules by the tests whose names begin with them, or with a list of them. */
export function testsByRule(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const file of filesIn('test', '.ts').concat(filesIn('src', '.test.ts'))) {
    for (const [, name] of file.text.matchAll(
      /\b(?:it|test|describe)(?:\.each\([^)]*\))?\(\s*[`'"](.*?)[`'"],/g,
    )) {
      for (const rule of rulesIn(name as string)) {
        const files = found.get(rule) ?? new Set()
        found.set(rule, files.add(file.path))
      }
    }
  }
  return found
}

const PART = 'locks|files|allocation|guard'
const ONE = `(?:(?:${PART}) )?§\\w+|I\\d+|[A-H]\\d+\\+?`
const HEAD = new RegExp(`^(?:(?:${PART}) §\\w+|I\\d+|[A-H]\\d+\\+?)(?:, (?:${ONE}))*(?=:| \\()`)
const NAMED = new RegExp(`^(?:(${PART}) )?(§\\w+|[A-I]\\d+)\\+?$`)

/** `locks §8, §42, I1: …` names three rules; `A4+, files §9: …` one and a sibling of case A4. */
export function rulesIn(name: string): string[] {
  const head = HEAD.exec(name)
  if (head === null) return []
  let part = ''
  return head[0].split(', ').map((one) => {
    const [, named, number] = NAMED.exec(one) ?? []
    part = named ?? part
    return number?.startsWith('§') === true ? `${part} ${number}` : `${number}`
  })
}

export function rulesPage(): string {
  const tests = testsByRule()
  const rowsOf = (table: Record<string, string>): string[] =>
    Object.entries(table).map(([rule, text]) => {
      const files = [...(tests.get(rule) ?? [])].sort().map((path) => `\`${path}\``)
      return `| ${rule} | ${text} | ${files.join(', ')} |`
    })
  return [
    '# Rules and their tests',
    '',
    'Made by `node test/house/rules-page.ts`. Test names begin with the rule they hold.',
    '',
    '| rule | says | tests |',
    '|---|---|---|',
    ...rowsOf(RULES),
    '',
    '## Inputs that clients really send',
    '',
    'Tests of siblings found beside a case begin with its id and a plus sign.',
    '',
    '| case | what holds | tests |',
    '|---|---|---|',
    ...rowsOf(CASES),
    '',
  ].join('\n')
}
