import {
  type GetPromptResult,
  inputRequired,
  type McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { askText, given } from './fixture-input-required.ts'
import { PIXEL } from './fixture-tools.ts'

/** Prompts, resources and completion: Sluice offers none, the suite's other scenarios need some. */
type Content = GetPromptResult['messages'][number]['content']

function messages(...contents: Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) }
}

export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, async () =>
    messages({ type: 'text', text: 'This is a simple prompt for testing.' }),
  )
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'With arguments',
      argsSchema: z.object({
        arg1: z.string().describe('First test argument'),
        arg2: z.string().describe('Second test argument'),
      }),
    },
    async ({ arg1, arg2 }) =>
      messages({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    async ({ resourceUri }) => {
      const text = 'Embedded resource content for testing.'
      const resource = { uri: resourceUri, mimeType: 'text/plain', text }
      return messages(
        { type: 'resource', resource },
        { type: 'text', text: 'Please process the embedded resource above.' },
      )
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, async () =>
    messages(
      { type: 'image', data: PIXEL, mimeType: 'image/png' },
      { type: 'text', text: 'Please analyze the image above.' },
    ),
  )
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Needs input of the client' },
    async (context: unknown) => {
      const value = given(context as ServerContext, 'user_context', 'context')
      if (value !== undefined) {
        return messages({ type: 'text', text: `Use the following context: ${value}` })
      }
      const user_context = askText('What context should the prompt use?', 'context')
      return inputRequired({ inputRequests: { user_context } })
    },
  )
}

export function registerResources(server: McpServer): void {
  const fixed = (name: string, mimeType: string, content: { text: string } | { blob: string }) => {
    const uri = `test://${name}`
    server.registerResource(name, uri, { mimeType }, async () => ({
      contents: [{ uri, mimeType, ...content }],
    }))
  }
  fixed('static-text', 'text/plain', { text: 'This is the content of the static text resource.' })
  fixed('static-binary', 'image/png', { blob: PIXEL })
  fixed('watched-resource', 'text/plain', { text: 'Watched resource content' })
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  const mimeType = 'application/json'
  server.registerResource('template', template, { mimeType }, async (uri, { id }) => ({
    contents: [
      { uri: uri.href, mimeType, text: JSON.stringify({ id, data: `Data for ID: ${id}` }) },
    ],
  }))
}

export function registerOtherMethods({ server }: McpServer): void {
  server.setRequestHandler('resources/subscribe', async () => ({}))
  server.setRequestHandler('resources/unsubscribe', async () => ({}))
  server.setRequestHandler('logging/setLevel', async () => ({}))
  server.setRequestHandler('completion/complete', async () => ({
    completion: { values: [], total: 0, hasMore: false },
  }))
}
