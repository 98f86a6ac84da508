import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { factsOf } from './entries.ts'
import { pathOf, READS, shownPath, type ToolContent, tool } from './tool.ts'

/** The official server's tool for contents that are no text. */
export const mediaTool = tool({
  name: 'read_media_file',
  title: 'Read Media File',
  description:
    'Read a file as base64 with its MIME type: images and audio as such, anything else as an embedded resource.',
  input: z.strictObject({ path: z.string() }),
  output: {
    type: 'object',
    properties: { content: { type: 'array', items: { type: 'object' } } },
    required: ['content'],
  },
  annotations: READS,
  async run(args, context) {
    const { door, workspace } = context
    const facts = await factsOf(context, pathOf(context, args.path))
    if (facts.kind === 'file' && facts.size > LIMITS.answerBytes) {
      fail(
        'too_large',
        `${facts.path} has ${facts.size} bytes; an answer takes ${LIMITS.answerBytes}. ` +
          'Read it over HTTP, or as text with head, tail or offset.',
        { path: facts.path, size: facts.size, limit: LIMITS.answerBytes },
      )
    }
    const answer = await door.call('read_file', { workspace, path: facts.path })
    const { path, version } = answer.value
    const block = await mediaBlock(shownPath(context, path), answer.content ?? new Uint8Array())
    return { content: [block], structured: { content: [block], version } }
  },
  refused: () => ({ content: [] }),
})

/** Exported for its tests. */
export async function mediaBlock(path: string, bytes: Uint8Array): Promise<ToolContent> {
  const mimeType = await mimeTypeOf(bytes)
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  const kind = KINDS[mimeType]
  if (kind !== undefined) return { type: kind, data, mimeType }
  const uri = pathToFileURL(path, { windows: false }).href
  return { type: 'resource', resource: { uri, mimeType, blob: data } }
}

async function mimeTypeOf(bytes: Uint8Array): Promise<string> {
  const { typeByBytes } = await import('../media-type.ts')
  return (await typeByBytes(bytes)) ?? 'application/octet-stream'
}

/** What models take as such a block; what else is known goes by its type as a resource. */
const KINDS: Record<string, 'image' | 'audio'> = {
  'image/png': 'image',
  'image/jpeg': 'image',
  'image/gif': 'image',
  'image/webp': 'image',
  'audio/wav': 'audio',
  'audio/flac': 'audio',
  'audio/ogg': 'audio',
  'audio/mpeg': 'audio',
}
