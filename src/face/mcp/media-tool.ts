import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { factsOf } from './entries.ts'
import { mediaTypeOf } from './media-type.ts'
import { pathOf, READS, type ToolContent, tool } from './tool.ts'

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
    const block = mediaBlock(path, answer.content ?? new Uint8Array())
    return { content: [block], structured: { content: [block], version } }
  },
  refused: () => ({ content: [] }),
})

function mediaBlock(path: string, bytes: Uint8Array): ToolContent {
  const { mimeType, block } = mediaTypeOf(bytes)
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  if (block !== 'resource') return { type: block, data, mimeType }
  const uri = pathToFileURL(path, { windows: false }).href
  return { type: 'resource', resource: { uri, mimeType, blob: data } }
}
