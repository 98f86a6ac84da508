import { HttpDoor } from './http-door.ts'
import { targetOf } from './target.ts'
import { terminalName } from './terminal.ts'
import type { Values } from './values.ts'

export async function doorOf(values: Values): Promise<HttpDoor> {
  return new HttpDoor(await targetOf(values), sessionOf(values))
}

/**
 * Whose locks and reads count for a command: of the session that is named, else of this terminal. The
 * session outlives each command, and so do its locks. Undefined: of nobody that can be known.
 */
function sessionOf(values: Values): string | undefined {
  const name = values.text('session') ?? terminalName()
  const agent = values.has('agent') ? values.text('agent') : undefined
  // An admin that works as an agent does so in a session of that agent.
  return agent === undefined ? name : `${agent}:${name ?? 'default'}`
}
