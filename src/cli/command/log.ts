import type { Output } from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import type { HttpDoor } from '../http-door.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { type Column, Screen } from '../screen.ts'
import { streamOf } from '../server-stream.ts'
import { timeText } from '../text.ts'

type AuditRow = Output<'query_audit'>['rows'][number]

/** `sluice log`: the audit, newest last as logs are read; `--json` has it newest first. */
export const log: Command = {
  summary: 'Who did or tried what; agents see their own rows, supervisors all.',
  arguments: '[path]',
  settings: commandSettings('query_audit', ['path'], {
    more: [
      {
        name: 'verify',
        kind: 'flag',
        describes: 'Read the whole ledger and check its sums and its hash chain',
      },
    ],
  }),
  notes: [
    'Keep the hash that --verify prints elsewhere: comparing it later shows a cut tail.',
    'What was done to agents, tokens, groups and workspaces: --workspace .server.',
  ].join('\n'),
  async run({ values, arguments: words }) {
    const door = await doorOf(values)
    const screen = new Screen()
    const asJson = values.flag('json')
    if (values.flag('verify')) {
      return verify(door, values.text('workspace') as string, screen, asJson)
    }
    const asked = operationInput<'query_audit'>(['path'], values, words)
    const workspace = streamOf(values, [asked.kind ?? []].flat())
    const answer = await door.call('query_audit', { ...asked, workspace })
    if (asJson) screen.json(answer)
    else print(answer, screen)
    return undefined
  },
}

const columns: readonly Column<AuditRow>[] = [
  { title: 'REVISION', cell: ({ revision }) => String(revision), align: 'right' },
  { title: 'AT', cell: ({ at }) => timeText(at) },
  { title: 'WHO', cell: ({ session }) => session },
  { title: 'WHAT', cell: ({ kind }) => kind },
  { title: 'OUTCOME', cell: outcomeText },
  { title: 'PATHS', cell: ({ paths }) => paths.join(' '), shrinks: true },
  { title: 'DETAIL', cell: ({ detail }) => detail, shrinks: true },
]

function outcomeText({ outcome, code, count }: AuditRow): string {
  const times = count > 1 ? ` ×${count}` : ''
  return (code ?? outcome) + times
}

function print({ rows, more }: Output<'query_audit'>, screen: Screen): void {
  if (rows.length === 0) return screen.line('Nothing of that kind.')
  const oldest = rows.at(-1)?.revision ?? 0
  if (more) screen.line(`There are older ones: --before ${oldest}`)
  screen.table(columns, rows.toReversed())
}

async function verify(
  door: HttpDoor,
  workspace: string,
  screen: Screen,
  asJson: boolean,
): Promise<number> {
  const answer = await door.call('verify_audit', { workspace })
  const { ok, from, to, batches, hash, fault } = answer
  if (asJson) screen.json(answer)
  else if (ok) {
    screen.line(`The ledger adds up: revisions ${from} to ${to} in ${batches} batches.`)
    screen.line(`hash ${hash}`)
  } else {
    screen.line(`The ledger is damaged: ${fault ?? 'no more is known'}. Restore it from a backup.`)
  }
  return ok ? 0 : 1
}
