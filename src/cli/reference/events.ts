import type { Audience } from '../../contract/event/row.ts'
import { EVENT_KIND_NAMES, type EventKind, eventRowOf } from '../../contract/events.ts'
import { code, page, table } from './markdown.ts'
import { fieldsText } from './schema.ts'

const ABOUT = `The facts of a workspace's stream, and those of the server's own (sessions, agents, tokens, workspaces). Each carries \`revision\`, \`at\`, \`kind\`, \`agent\` and \`session\` (who caused it) besides its own fields, and \`paths\` where it is about some. They are read by \`sluice watch\`, \`GET /v1/workspaces/{workspace}/events\` and the SDK's \`watch()\`, in this one form: times are ISO 8601, durations seconds.

In the ledger they lie in a form of their own under their number and version. A number is given once and never reused; a kind that changes shape gets a new version, and old ones are still read.`

const HEARD_BY: Record<Audience, string> = {
  readers: 'those who may read all its paths',
  workspace: 'those who may read anything in the workspace',
  agent: 'its own agent, and supervisors',
  supervisors: 'supervisors',
}

export function eventsPage(): string {
  const rows = EVENT_KIND_NAMES.map((kind) => {
    const { number, version, audience } = eventRowOf(kind)
    return [`[${kind}](#${kind})`, String(number), String(version), HEARD_BY[audience]]
  })
  return page('Events', ABOUT, [
    table(['kind', 'number', 'version', 'heard by'], rows),
    ...EVENT_KIND_NAMES.map(kindText),
  ])
}

function kindText(kind: EventKind): string {
  const { number, version, shown } = eventRowOf(kind)
  const fields = fieldsText(shown, 'output')
  return `## ${kind}\n\nNumber ${code(number)}, version ${code(version)}.\n\n${fields}`
}
