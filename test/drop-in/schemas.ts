import type { Compared, Difference, Pair } from './difference.ts'
import type { Reply } from './stdio-server.ts'

/** How what two servers say of themselves differs: tools, their schemas, annotations and words. */
export function listDifferences(session: string, lists: Pair<Reply>): Difference[] {
  const official = toolsIn(lists.official)
  const ours = toolsIn(lists.ours)
  return [...official].flatMap(([name, tool]) => {
    const call = { name: 'tools/list', title: `as ${name} is described`, tool: name }
    return leavesThatDiffer({ session, call, arguments: {} }, '', tool, ours.get(name))
  })
}

function toolsIn(reply: Reply): Map<string, unknown> {
  if (reply.kind !== 'result') throw new Error(`tools/list: ${JSON.stringify(reply)}`)
  const { tools } = reply.result as { tools: { name: string }[] }
  return new Map(tools.map((tool) => [tool.name, tool]))
}

/** What ours has besides is no difference, unless it is required. */
function leavesThatDiffer(
  compared: Compared,
  at: string,
  official: unknown,
  ours: unknown,
): Difference[] {
  if (isRecord(official) && isRecord(ours)) {
    return Object.keys(official).flatMap((key) => {
      const below = at === '' ? key : `${at}.${key}`
      return leavesThatDiffer(compared, below, official[key], ours[key])
    })
  }
  const [one, other] = [official, ours].map((value) => JSON.stringify(sorted(at, value)))
  return one === other ? [] : [{ ...compared, aspect: 'tools/list', at, official, ours }]
}

/** The order in which arguments are required says nothing. */
function sorted(at: string, value: unknown): unknown {
  return at.endsWith('required') && Array.isArray(value) ? value.toSorted() : value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
