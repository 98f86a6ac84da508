import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { fail, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { factsOf } from './entries.ts'
import { refusalText } from './refusal.ts'
import {
  pathOf,
  READS,
  TEXT_OUTPUT,
  type Tool,
  type ToolContent,
  type ToolContext,
  textAnswer,
  tool,
  VERSIONED_OUTPUT,
} from './tool.ts'

/** The official server's tools that read contents: its names, arguments and texts. */
const path = z.string()

const lines = z.int().min(0)

const readTextInput = z.object({
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

/** All bytes of a file that is small enough to be shown as a whole. */
async function read(context: ToolContext, given: string) {
  const { door, workspace } = context
  const facts = await factsOf(context, pathOf(context, given))
  if (facts.kind === 'file' && facts.size > LIMITS.answerBytes) {
    fail(
      'too_large',
      `${facts.path} has ${facts.size} bytes; an answer takes ${LIMITS.answerBytes}. ` +
        'Read it over HTTP, or as text with head, tail or offset.',
      { path: facts.path, size: facts.size, limit: LIMITS.answerBytes },
    )
  }
  const answer = await door.call('read_file', { workspace, path: facts.path })
  const { version, path } = answer.value
  return { path, version, bytes: Buffer.from(answer.content ?? new Uint8Array()) }
}

const MEDIA_TYPES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
  svg: 'image/svg+xml',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
}

function mediaBlock(path: string, bytes: Buffer): ToolContent {
  const extension = /[^/]\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  const known = Object.hasOwn(MEDIA_TYPES, extension) ? MEDIA_TYPES[extension] : undefined
  const mimeType = known ?? 'application/octet-stream'
  const data = bytes.toString('base64')
  if (mimeType.startsWith('image/')) return { type: 'image', data, mimeType }
  if (mimeType.startsWith('audio/')) return { type: 'audio', data, mimeType }
  const uri = pathToFileURL(path, { windows: false }).href
  return { type: 'resource', resource: { uri, mimeType, blob: data } }
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
    return `${path}: Error - ${refusalText(error.problem)}`
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
  tool({
    name: 'read_media_file',
    title: 'Read Media File',
    description:
      'Read a file as base64 with its MIME type: images and audio as such, anything else as an embedded resource.',
    input: z.object({ path }),
    output: {
      type: 'object',
      properties: { content: { type: 'array', items: { type: 'object' } } },
      required: ['content'],
    },
    annotations: READS,
    async run(args, context) {
      const { path, bytes, version } = await read(context, args.path)
      const block = mediaBlock(path, bytes)
      return { content: [block], structured: { content: [block], version } }
    },
    refused: () => ({ content: [] }),
  }),
  tool({
    name: 'read_multiple_files',
    title: 'Read Multiple Files',
    description: 'Read several files at once. A file that cannot be read does not stop the others.',
    input: z.object({
      paths: z.array(z.string()).min(1, 'At least one file path must be provided').max(1000),
    }),
    output: TEXT_OUTPUT,
    annotations: READS,
    run: async (args, context) => textAnswer(await readMany(args.paths, context)),
  }),
]
