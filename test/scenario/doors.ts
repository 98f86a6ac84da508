import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { connect } from '../../src/client/index.ts'
import { McpInside } from '../cli/mcp-inside.ts'
import { cliCall, MAIN, type Place } from './cli-call.ts'
import type { House } from './house.ts'
import { httpCall } from './http-call.ts'
import { McpSeat } from './mcp-seat.ts'
import { type Call, type Door, OperationSeat } from './seat.ts'

/** Every door of the server, by the clients that real users have at it. */
export function doorsOf(house: () => House): Door[] {
  return [
    {
      name: 'HTTP',
      takesRequestIds: true,
      async open(agent) {
        const { url } = house()
        return callSeat(agent, httpCall(url, await house().tokenOf(agent), 'scenario'))
      },
    },
    {
      name: 'socket',
      takesRequestIds: true,
      async open(agent) {
        const sluice = await connect({ url: house().url, token: await house().tokenOf(agent) })
        const call: Call = async (name, input, content) => sluice.call(name, input, content)
        return new OperationSeat(agent, call, () => sluice.close())
      },
    },
    mcpDoor(house, 'http', 'legacy', 'inside'),
    mcpDoor(house, 'http', 'auto', 'inside'),
    ...commandDoors(house, 'inside'),
  ]
}

/** The doors at which a command stands between the client and the server. */
export function commandDoors(house: () => House, place: Place): Door[] {
  return [
    mcpDoor(house, 'stdio', 'legacy', place),
    mcpDoor(house, 'stdio', 'auto', place),
    {
      name: 'command line',
      takesRequestIds: true,
      async open(agent) {
        const { url } = house()
        const token = await house().tokenOf(agent)
        return callSeat(agent, cliCall(url, token, 'scenario', place))
      },
    },
  ]
}

/** Without a connection a session is ended by saying so. */
function callSeat(agent: string, call: Call): OperationSeat {
  return new OperationSeat(agent, call, async () => {
    await call('end_session', { id: `${agent}:scenario` })
  })
}

/** `legacy` is the revision with sessions, `auto` the newest, which is stateless over HTTP. */
export type Era = 'legacy' | 'auto'
export type Carrier = 'http' | 'stdio'

function mcpDoor(house: () => House, carrier: Carrier, era: Era, place: Place): Door {
  return {
    name: `MCP over ${carrier} (${era === 'legacy' ? '2025-11-25' : '2026-07-28'})`,
    takesRequestIds: false,
    open: (agent) => openMcp(house(), carrier, era, agent, place),
  }
}

export async function openMcp(
  house: House,
  carrier: Carrier,
  era: Era,
  agent: string,
  place: Place,
): Promise<McpSeat> {
  const client = new Client(
    { name: 'scenario', version: '1' },
    { versionNegotiation: { mode: era } },
  )
  const token = await house.tokenOf(agent)
  if (carrier === 'stdio') {
    const words = ['--url', house.url, '--tools', 'full']
    const env = { ...process.env, SLUICE_TOKEN: token } as Record<string, string>
    const started = { command: process.execPath, args: [MAIN, 'mcp', ...words], env }
    await client.connect(
      place === 'inside' ? new McpInside(words, env) : new StdioClientTransport(started),
    )
    return new McpSeat(agent, client, () => client.close())
  }
  const transport = new StreamableHTTPClientTransport(new URL(`${house.url}/mcp`), {
    // The stateless revision knows its caller by this alone.
    requestInit: { headers: { authorization: `Bearer ${token}`, 'sluice-session': 'default' } },
  })
  await client.connect(transport)
  return new McpSeat(agent, client, async () => {
    if (transport.sessionId !== undefined) await transport.terminateSession()
    // The stateless revision has no end of its own: the principal's session ends where it is known.
    else await httpCall(house.url, token, 'ending')('end_session', { id: `${agent}:default` })
    await client.close()
  })
}
