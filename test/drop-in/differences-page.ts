import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GROUPS } from './reasons.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const OFFICIAL = '@modelcontextprotocol/server-filesystem'

export const PAGE = join(ROOT, 'docs', 'drop-in.md')

/** `docs/drop-in.md`, made of the reasons that the comparison goes by. */
export function differencesPage(): string {
  return [
    '# Drop-in: what is different',
    `Made by \`node test/drop-in/page.ts\` from the reasons in [test/drop-in/reasons](../test/drop-in/reasons). How to change a client over: [clients.md](clients.md).`,
    `\`sluice mcp DIR\` has the tools of \`${OFFICIAL} DIR\`, with their names, arguments and answers, but for what stands on this page. [A test](../test/drop-in/drop-in.test.ts) makes the same calls to both servers (release ${officialVersion()} of the official one), each on a folder of its own, and compares every answer and what is on disk afterwards. A difference that fits none of these rows fails that test; so does a row that no difference needs. Each row is a difference and why it is meant.`,
    'What `sluice mcp DIR` has besides counts as no difference, because no client has to know of it: more tools (`append_file`, `copy_file`, `delete_file`, and those for locks, which `--tools files` leaves out), more arguments, none of them required, and more fields in structured answers.',
    ...GROUPS.flatMap(({ title, reasons }) => {
      const rows = reasons.map(({ id, reason }) => `| ${id} | ${reason.replaceAll('|', '\\|')} |`)
      return [`## ${title}`, ['| name | what, and why |', '|---|---|', ...rows].join('\n')]
    }),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

function officialVersion(): string {
  const file = readFileSync(join(ROOT, 'package.json'), 'utf8')
  const { devDependencies } = JSON.parse(file) as { devDependencies: Record<string, string> }
  return devDependencies[OFFICIAL] ?? ''
}
