import { z } from 'zod'
import { fail, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { headOf, sliceOf, tailOf } from './lines.ts'
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

const readTextInput = z.strictObject({
  path,
  tail: z
    .int()
    .min(0)
    .optional()
    .describe('If provided, returns only the last N lines of the file'),
  head: z
    .int()
    .min(0)
    .optional()
    .describe('If provided, returns only the first N lines of the file'),
  offset: z.int().min(0).optional().describe('Skip this many lines'),
  limit: z.int().min(1).optional().describe('Return at most this many lines'),
})

async function readText(args: z.output<typeof readTextInput>, context: ToolContext) {
  if (args.head !== undefined && args.tail !== undefined) {
    fail('invalid_request', 'Cannot specify both head and tail parameters simultaneously')
  }
  const { text, version } = await read(context, args.path)
  return textAnswer(partOf(text, args), { version })
}

function partOf(text: string, args: z.output<typeof readTextInput>): string {
  if (args.head === 0 || args.tail === 0) return ''
  if (args.tail !== undefined) return tailOf(text, args.tail)
  if (args.head !== undefined) return headOf(text, args.head)
  if (args.offset === undefined && args.limit === undefined) return text
  return sliceOf(text, args.offset ?? 0, args.limit ?? Number.POSITIVE_INFINITY)
}

async function read(context: ToolContext, given: string) {
  const { door, workspace } = context
  const answer = await door.call('read_file', { workspace, path: pathOf(context, given) })
  const { version, path } = answer.value
  const bytes = Buffer.from(answer.content ?? new Uint8Array())
  return { path, version, bytes, text: bytes.toString('utf8') }
}

const READ_AT_ONCE = 16

async function readMany(paths: readonly string[], context: ToolContext): Promise<string> {
  const parts: string[] = []
  let bytesLeft = LIMITS.textBytes
  for (let i = 0; i < paths.length; i += READ_AT_ONCE) {
    const some = paths.slice(i, i + READ_AT_ONCE)
    const texts = await Promise.all(some.map((path) => readOrExplain(path, context)))
    for (const text of texts) {
      bytesLeft -= text.length
      if (bytesLeft < 0) fail('too_large', 'The files are too large together; read fewer at once.')
      parts.push(text)
    }
  }
  return parts.join('\n---\n')
}

/** One file that cannot be read must not hide the others. */
async function readOrExplain(path: string, context: ToolContext): Promise<string> {
  try {
    return `${path}:\n${(await read(context, path)).text}\n`
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return `${path}: Error - ${refusalText(asTold(error.problem))}`
  }
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
