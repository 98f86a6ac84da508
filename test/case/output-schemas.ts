import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv'
import type { McpServer } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'
import { chooseTools } from '../../src/face/mcp/tools.ts'

const ajv = new AjvJsonSchemaValidator()
const validators = new Map(
  chooseTools('full').map((tool) => [tool.name, ajv.getValidator(tool.output)]),
)

/** What a strict client would find wrong with an answer of a tool; undefined: nothing. */
export function faultOf(tool: string, structured: unknown): string | undefined {
  const result = validators.get(tool)?.(structured)
  if (result === undefined) return `there is no tool ${tool}`
  return result.valid ? undefined : result.errorMessage
}

/** A client in this process. */
export async function clientOf(server: McpServer): Promise<Client> {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: 'test', version: '1' })
  await Promise.all([server.connect(there), client.connect(here)])
  onTestFinished(() => client.close())
  return client
}
