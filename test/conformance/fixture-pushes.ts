import type { McpServer, ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from './fixture-tools.ts'

/** Tools that ask the client something while they run, as 2025-11-25 does it. */
export function registerPushTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client’s model', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const answer = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      })
      return text(`LLM response: ${JSON.stringify(answer.content)}`)
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, context) => {
      const properties = { response: { type: 'string' as const, description: "User's response" } }
      return elicit(context, message, { type: 'object', properties, required: ['response'] })
    },
  )
  const inputSchema = z.object({})
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks the user, with defaults', inputSchema },
    async (_args, context) => elicit(context, 'Please review', DEFAULTS),
  )
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'Asks the user, with choices', inputSchema },
    async (_args, context) => elicit(context, 'Please select', CHOICES),
  )
}

type Form = Extract<
  Parameters<ServerContext['mcpReq']['elicitInput']>[0],
  { requestedSchema: unknown }
>

async function elicit(
  { mcpReq }: ServerContext,
  message: string,
  requestedSchema: Form['requestedSchema'],
) {
  const { action, content } = await mcpReq.elicitInput({ message, requestedSchema })
  return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`)
}

const DEFAULTS: Form['requestedSchema'] = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'User name', default: 'John Doe' },
    age: { type: 'integer', description: 'User age', default: 30 },
    score: { type: 'number', description: 'User score', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Verification status', default: true },
  },
  required: [],
}

const titled = (...values: string[]) =>
  values.map((value) => ({ const: value, title: `Title of ${value}` }))
const options = ['option1', 'option2', 'option3']

const CHOICES: Form['requestedSchema'] = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled('value1', 'value2', 'value3') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: { type: 'string', enum: options },
    },
    titledMulti: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: { anyOf: titled('value1', 'value2', 'value3') },
    },
  },
  required: [],
}
