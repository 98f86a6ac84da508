import type { IncomingHttpHeaders } from 'node:http'
import { fail } from '../../contract/errors.ts'

/**
 * Which names this server answers to. A page in a browser can make its own host name point here (DNS
 * rebinding); it cannot choose what the browser sends as Host and Origin, so both are checked on
 * every request.
 */
export type HostGuard = (request: { headers: IncomingHttpHeaders }) => void

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

/**
 * @param boundHost the address it listens on; when that is "any address", only loopback names and
 *   `extraHosts` are known, so a server for others must be told its name.
 */
export function createHostGuard(boundHost: string, extraHosts: readonly string[]): HostGuard {
  const names = new Set([...LOOPBACK_NAMES, bracketed(boundHost), ...extraHosts.map(bracketed)])
  return (request) => {
    const host = request.headers.host
    if (host === undefined || !names.has(nameOf(host))) {
      fail('forbidden', 'This server does not answer to that Host; allow it with --allow-host.')
    }
    const origin = request.headers.origin
    if (origin !== undefined && !names.has(nameOfOrigin(origin))) {
      fail('forbidden', 'Requests from pages of that Origin are not allowed.')
    }
  }
}

function bracketed(host: string): string {
  const name = host.toLowerCase()
  return name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
}

/** `name`, `name:port` or `[v6]:port`; anything else gives a name that is on no list. */
function nameOf(host: string): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]@/\\\s]+)(?::\d{1,5})?$/.exec(host)
  return match?.[1]?.toLowerCase() ?? ''
}

function nameOfOrigin(origin: string): string {
  const match = /^https?:\/\/(.+)$/.exec(origin)
  return match?.[1] === undefined ? '' : nameOf(match[1])
}
