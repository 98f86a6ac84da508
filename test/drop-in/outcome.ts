import type { Reply } from './stdio-server.ts'

/** What came of a call, without what is never the same at two places: paths, times, names of chance. */
export type Outcome =
  | { kind: 'answer'; isError: boolean; content: unknown; structured: unknown }
  | { kind: 'refusal'; code: number; message: string }
  | { kind: 'silence'; why: string }

export function outcomeOf(reply: Reply, base: string, tool: string): Outcome {
  const neutral = (value: unknown) => neutralOf(value, base, tool)
  if (reply.kind === 'silent') return { kind: 'silence', why: String(neutral(reply.why)) }
  if (reply.kind === 'error') {
    return { kind: 'refusal', code: reply.code, message: String(neutral(reply.message)) }
  }
  const { isError, content, structuredContent } = reply.result
  return {
    kind: 'answer',
    isError: isError === true,
    content: neutral(content),
    structured: neutral(structuredContent),
  }
}

export function hasFailed(outcome: Outcome): boolean {
  return outcome.kind !== 'answer' || outcome.isError
}

/** All that it says in words; of several blocks, one after the other. */
export function textOf(outcome: Outcome): string {
  if (outcome.kind === 'refusal') return outcome.message
  if (outcome.kind === 'silence') return outcome.why
  return textsIn(outcome.content).join('\n')
}

/** The text of each block of content. */
export function textsIn(content: unknown): string[] {
  if (!Array.isArray(content)) return []
  return content.map((block: { text?: unknown } | null) => String(block?.text ?? ''))
}

export function neutralOf(value: unknown, base: string, tool = ''): unknown {
  if (typeof value === 'string') return neutralText(value, base, tool)
  if (Array.isArray(value)) return value.map((one) => neutralOf(one, base, tool))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, neutralOf(one, base, tool)]),
  )
}

function neutralText(text: string, base: string, tool: string): string {
  const placed = text.replaceAll(base, '<base>').replaceAll(CHANCE_NAME, '.<chance>.tmp')
  return tool === 'get_file_info' ? placed.replaceAll(TIME, timeOf) : placed
}

/** The official server writes beside a file first, and its refusals may name where. */
const CHANCE_NAME = /\.[0-9a-f]{32}\.tmp\b/g
const TIME =
  /^(created|modified|accessed): [A-Z][a-z]{2} [A-Z][a-z]{2} \d{2} (\d{4}) \d\d:\d\d:\d\d GMT[+-]\d{4} \(.+\)$/gm

/** When it was modified is the same for what nobody has touched since the folder was made, long ago. */
function timeOf(line: string, name: string, year: string): string {
  return name === 'modified' && Number(year) < 2020 ? line : `${name}: <time>`
}
