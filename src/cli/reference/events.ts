import { EVENT_KINDS, type EventKind } from '../../contract/events.ts'
import { code, page, table } from './markdown.ts'
import { fieldsText } from './schema.ts'

const ABOUT = `The facts of a workspace's stream, and those of the server's own (sessions, agents, tokens, workspaces). Each carries \`revision\`, \`at\`, \`kind\`, \`agent\` and \`session\` (who caused it) besides its own fields. They are read by \`sluice watch\`, \`GET /v1/workspaces/{workspace}/events\` and the SDK's \`watch()\`; there \`at\` is ISO 8601, request ids are left out, and a fact that names a lock, a ticket, a question or a draft by its number alone has its \`paths\` besides.

This is also how they are stored. Numbers are given once and never reused; a kind that changes shape gets a new version, and old ones are still read.`

export function eventsPage(): string {
  const kinds = Object.entries(EVENT_KINDS) as [EventKind, (typeof EVENT_KINDS)[EventKind]][]
  const rows = kinds.map(([kind, { number, version }]) => [
    `[${kind}](#${kind})`,
    String(number),
    String(version),
  ])
  return page('Events', ABOUT, [
    table(['kind', 'number', 'version'], rows),
    ...kinds.map(
      ([kind, { number, version, data }]) =>
        `## ${kind}\n\nNumber ${code(number)}, version ${code(version)}.\n\n${fieldsText(data, 'output')}`,
    ),
  ])
}
