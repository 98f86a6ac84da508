import { connect, type WatchEvent } from '../../client/index.ts'
import { EVENT_KIND_NAMES, type EventKind } from '../../contract/events.ts'
import type { Command } from '../command.ts'
import { pathOf } from '../operation-settings.ts'
import { Screen } from '../screen.ts'
import { streamOf } from '../server-stream.ts'
import { CONNECTION, SHARED } from '../settings.ts'
import { targetOf } from '../target.ts'
import { timeText } from '../text.ts'

/** `sluice watch`: events as they happen, through lost connections, until it is stopped. */
export const watch: Command = {
  summary: 'Print the events of a workspace as they happen; --since first what happened after.',
  arguments: '[path]',
  settings: [
    { name: 'since', kind: 'number', describes: 'Start after this revision; default: from now on' },
    {
      name: 'kind',
      kind: 'list',
      describes: 'Only this kind of event',
      choices: EVENT_KIND_NAMES,
    },
    { name: 'count', kind: 'number', describes: 'End after so many events' },
    SHARED.workspace,
    SHARED.json,
    ...CONNECTION.filter(({ name }) => name !== 'session'),
  ],
  notes: [
    'With --json each line is one event; the revision of the last one is the next --since.',
    'What happens to agents, tokens, groups and workspaces: --workspace .server, or --kind agent-set.',
  ].join('\n'),
  async run({ values, arguments: [path] }) {
    const agent = values.text('agent')
    const since = values.number('since')
    const kinds = values.list('kind') as EventKind[]
    const sluice = await connect({
      ...(await targetOf(values)),
      retryMs: RETRY_MS,
      ...(agent === undefined ? {} : { agent }),
    })
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => stop.abort())
    }
    const screen = new Screen()
    const asJson = values.flag('json')
    let left = values.number('count') ?? Number.POSITIVE_INFINITY
    const events = sluice.workspace(streamOf(values, kinds)).watch({
      signal: stop.signal,
      ...(path === undefined ? {} : { path: pathOf(path) }),
      ...(since === undefined ? {} : { since }),
      ...(kinds.length === 0 ? {} : { kinds }),
    })
    for await (const event of events) {
      if (asJson) process.stdout.write(`${JSON.stringify(event)}\n`)
      else screen.line(lineOf(event))
      left -= 1
      if (left <= 0) break
    }
    await sluice.close()
    return undefined
  },
}

/** How long a server may be away, for example to be upgraded. */
const RETRY_MS = 5 * 60_000

function lineOf(event: WatchEvent): string {
  const { revision, at, kind, session } = event
  return [String(revision).padStart(8), timeText(at), session, kind, ...pathsOf(event), why(event)]
    .filter((part) => part !== '')
    .join('  ')
}

/** What it is about; of a commit with what was done to each. */
function pathsOf(event: WatchEvent): string[] {
  if (event.kind !== 'files-committed') return event.paths ?? []
  return event.changes.map((change) => {
    const from = 'from' in change && change.from !== undefined ? ` from ${change.from.path}` : ''
    return `${change.op} ${change.path}${change.op === 'move' ? ` → ${change.to}` : from}`
  })
}

function why(event: WatchEvent): string {
  const { lock, reason, code, detail, message, intent } = event as unknown as Record<
    string,
    unknown
  >
  return [lock, reason, code, detail, message, intent]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(' ')
}
