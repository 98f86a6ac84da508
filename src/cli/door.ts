import { HttpDoor } from './http-door.ts'
import { targetOf } from './target.ts'
import type { Values } from './values.ts'

/** The session of commands that say no other. It outlives each of them, and so do its locks. */
export const CLI_SESSION = 'cli'

export async function doorOf(values: Values): Promise<HttpDoor> {
  return new HttpDoor(await targetOf(values), sessionOf(values))
}

/** An admin that works as an agent does so in a session of that agent. */
function sessionOf(values: Values): string {
  const name = values.text('session') ?? CLI_SESSION
  const agent = values.has('agent') ? values.text('agent') : undefined
  return agent === undefined ? name : `${agent}:${name}`
}
