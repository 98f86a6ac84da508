import type { McpServer, ServerNotifier } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { McpFixtures } from '../../src/face/mcp/server.ts'
import {
  registerInputTools,
  registerStatefulInputTools,
  stateCodec,
} from './fixture-input-required.ts'
import { registerOtherMethods, registerPrompts, registerResources } from './fixture-prompts.ts'
import { registerPushTools } from './fixture-pushes.ts'
import {
  registerContentTools,
  registerNotifyingTools,
  registerSchemaTools,
  text,
} from './fixture-tools.ts'

/**
 * What the conformance suite expects to find on a server, beside the tools of Sluice. The protocol
 * is then tested on the real path: the real HTTP server, doors, sessions and tool list.
 *
 * @param notifier where changes are announced; asked when a tool runs, since the server is made after.
 */
export function createFixtures(notifier: () => ServerNotifier): McpFixtures {
  return {
    options: {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: stateCodec.verify },
    },
    register(server) {
      registerContentTools(server)
      registerNotifyingTools(server)
      registerSchemaTools(server)
      registerPushTools(server)
      registerInputTools(server)
      registerStatefulInputTools(server)
      registerTriggers(server, notifier)
      registerPrompts(server)
      registerResources(server)
      registerOtherMethods(server)
    },
  }
}

function registerTriggers(server: McpServer, notifier: () => ServerNotifier): void {
  const inputSchema = z.object({})
  const triggers = { tool: 'toolsChanged', prompt: 'promptsChanged' } as const
  for (const [kind, method] of Object.entries(triggers)) {
    const description = `Announces that the ${kind}s changed`
    server.registerTool(`test_trigger_${kind}_change`, { description, inputSchema }, async () => {
      notifier()[method]()
      return text('announced')
    })
  }
}
