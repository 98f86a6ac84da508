import { z } from 'zod'
import { SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { factsOf } from './entries.ts'
import { mediaTool } from './media-tool.ts'
import { asTold, refusalText } from './refusal.ts'
import {
  pathOf,
  READS,
  TEXT_OUTPUT,
  type Tool,
  type ToolContext,
  textAnswer,
  tool,
  VERSIONED_OUTPUT,
} from './tool.ts'

/** The official server's tools that read contents: its names, arguments and texts. */
const path = z.string()

const lines = z.int().min(0)

const readTextInput = z.strictObject({
  path,
  tail: lines.optional().describe('Only the last N lines'),
  head: lines.optional().describe('Only the first N lines'),
  offset: lines.optional().describe('Skip this many lines'),
  limit: lines.optional().describe('Return at most this many lines'),
})

async function readText(args: z.output<typeof readTextInput>, context: ToolContext) {
  const read = await textOf(args, context)
  const { text, version, encoding, lossy, next_offset } = read
  const note = noteOf(read)
  const known = { version, ...optional('next_offset', next_offset) }
  if (note === undefined) return textAnswer(text, known)
  const { content, structured } = textAnswer(text, known)
  return {
    content: [...content.filter(() => text !== ''), { type: 'text' as const, text: note }],
    structured: { ...structured, encoding, ...(lossy ? { lossy } : {}), note },
  }
}

async function textOf(args: z.output<typeof readTextInput>, context: ToolContext): Promise<Read> {
  const { head, tail, offset, limit } = args
  const part = {
    ...optional('head', head),
    ...optional('tail', tail),
    ...optional('offset', offset),
    ...optional('limit', limit),
  }
  const { door, workspace } = context
  return (await door.call('read_text', { workspace, path: pathOf(context, args.path), ...part }))
    .value
}

type Read = Output<'read_text'>

/** What the text is not, so that nobody takes it for the file. */
function noteOf({ path, size, encoding, lossy, cut, next_offset }: Read): string | undefined {
  if (encoding === 'binary') {
    return `Note: ${path} is binary (${size} bytes), so it has no text to show. Use read_media_file.`
  }
  const notes: string[] = []
  if (lossy) {
    const as =
      encoding === 'utf-8' ? 'is UTF-8 but for some bytes' : `was read as ${encoding}, a guess`
    notes.push(
      `${path} ${as}: written back, this text would be other bytes. To change it use edit_file, ` +
        'which leaves the rest as it is; write_file takes it only with if_version.',
    )
  }
  if (cut) {
    const whole = `This is not all that you asked for: one answer takes ${LIMITS.answerBytes} bytes of the file's ${size}.`
    notes.push(next_offset === undefined ? whole : `${whole} Go on with offset ${next_offset}.`)
  }
  return notes.length === 0 ? undefined : `Note: ${notes.join(' ')}`
}

const READ_AT_ONCE = 4

async function readMany(paths: readonly string[], context: ToolContext): Promise<string> {
  const parts: string[] = []
  let left = LIMITS.answerBytes
  for (let i = 0; i < paths.length; i += READ_AT_ONCE) {
    const some = paths.slice(i, i + READ_AT_ONCE)
    // What would not be shown is not read either: reading is what lets a file be overwritten.
    const sizes = left > 0 ? await Promise.all(some.map((path) => sizeOf(path, context))) : []
    const texts = some.map((path, index) => {
      const isFirst = left === LIMITS.answerBytes
      const size = sizes[index] ?? 0
      const hasRoom = left > 0 && (size <= left || isFirst)
      if (hasRoom) left -= size
      return hasRoom ? readOrExplain(path, context) : leftOut(path)
    })
    parts.push(...(await Promise.all(texts)))
  }
  return parts.join('\n---\n')
}

/** Of what cannot be read, the reading says why. */
async function sizeOf(path: string, context: ToolContext): Promise<number> {
  try {
    const facts = await factsOf(context, pathOf(context, path))
    return facts.kind === 'file' ? facts.size : 0
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return 0
  }
}

/** One file that cannot be read must not hide the others. */
async function readOrExplain(path: string, context: ToolContext): Promise<string> {
  try {
    const read = await textOf({ path }, context)
    const note = noteOf(read)
    return `${path}:\n${read.text}\n${note === undefined ? '' : `${note}\n`}`
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return `${path}: Error - ${refusalText(asTold(error.problem))}`
  }
}

function leftOut(path: string): string {
  return `${path}: Error - Not shown: those before it fill this answer. Read it by itself.`
}

export const readTools: readonly Tool[] = [
  tool({
    name: 'read_file',
    title: 'Read File (Deprecated)',
    description: 'Read a file as text. DEPRECATED: Use read_text_file instead.',
    input: readTextInput,
    output: VERSIONED_OUTPUT,
    annotations: READS,
    run: readText,
  }),
  tool({
    name: 'read_text_file',
    title: 'Read Text File',
    description:
      'Read a file as text: all of it, the first or last lines (head, tail), or part of it (offset, limit). Reading is what lets you overwrite a file later.',
    input: readTextInput,
    output: VERSIONED_OUTPUT,
    annotations: READS,
    run: readText,
  }),
  mediaTool,
  tool({
    name: 'read_multiple_files',
    title: 'Read Multiple Files',
    description: 'Read several files at once. A file that cannot be read does not stop the others.',
    input: z.strictObject({
      paths: z.array(z.string()).min(1, 'At least one file path must be provided').max(1000),
    }),
    output: TEXT_OUTPUT,
    annotations: READS,
    run: async (args, context) => textAnswer(await readMany(args.paths, context)),
  }),
]
