import { isOfServerOnly, SERVER_STREAM } from '../contract/events.ts'
import type { Values } from './values.ts'

/** Where events of these kinds are to be had: those of the server itself no workspace has. */
export function streamOf(values: Values, kinds: readonly string[]): string {
  const isServers = kinds.length > 0 && kinds.every(isOfServerOnly)
  const isSaid = values.sourceOf('workspace') !== 'default'
  return isServers && !isSaid ? SERVER_STREAM : (values.text('workspace') as string)
}
