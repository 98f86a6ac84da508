import { type CallToolResult, fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Tools that the conformance suite calls by name; they exist in this test only. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const SOUND = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='

type Block = CallToolResult['content'][number]

function constant(server: McpServer, name: string, ...content: Block[]): void {
  server.registerTool(name, { description: `Answers a constant: ${name}` }, async () => ({
    content,
  }))
}

export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] }
}

export function registerContentTools(server: McpServer): void {
  const image: Block = { type: 'image', data: PIXEL, mimeType: 'image/png' }
  const resource = (uri: string, mimeType: string, value: string): Block => ({
    type: 'resource',
    resource: { uri, mimeType, text: value },
  })
  constant(server, 'test_simple_text', {
    type: 'text',
    text: 'This is a simple text response for testing.',
  })
  constant(server, 'test_image_content', image)
  constant(server, 'test_audio_content', { type: 'audio', data: SOUND, mimeType: 'audio/wav' })
  constant(
    server,
    'test_embedded_resource',
    resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  )
  constant(
    server,
    'test_multiple_content_types',
    { type: 'text', text: 'Multiple content types test:' },
    image,
    resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  )
  constant(server, 'test_streaming_elicitation', { type: 'text', text: 'result frames only' })
  server.registerTool('test_error_handling', { description: 'Always fails' }, async () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
}

export function registerNotifyingTools(server: McpServer): void {
  const inputSchema = z.object({})
  server.registerTool(
    'test_tool_with_logging',
    { description: 'Logs while it runs', inputSchema },
    async (_args, { mcpReq }) => {
      for (const data of ['started', 'processing data', 'completed']) {
        const params = { level: 'info' as const, data: `Tool execution ${data}` }
        await mcpReq.notify({ method: 'notifications/message', params })
      }
      return text('Tool with logging executed successfully')
    },
  )
  server.registerTool(
    'test_logging_tool',
    { description: 'Logs only if the request asked for it', inputSchema },
    async (_args, { mcpReq }) => {
      await mcpReq.log('info', 'delivered only when the request set a log level')
      return text('logged')
    },
  )
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports progress', inputSchema },
    async (_args, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken
      if (progressToken === undefined) return text('no-progress-token')
      for (const progress of [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `Step ${progress}` }
        await mcpReq.notify({ method: 'notifications/progress', params })
      }
      return text(String(progressToken))
    },
  )
}

export function registerSchemaTools(server: McpServer): void {
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'Has an argument that is mirrored into a header',
      inputSchema: fromJsonSchema<{ region?: string }>(SCHEMA_WITH_HEADER),
    },
    async ({ region }) => text(`region=${region ?? '<none>'}`),
  )
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Has a schema with the words of 2020-12',
      inputSchema: fromJsonSchema(SCHEMA_2020),
    },
    async (args) => text(JSON.stringify(args)),
  )
}

const SCHEMA_WITH_HEADER = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    level: { type: 'integer' },
  },
}

const SCHEMA_2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}
