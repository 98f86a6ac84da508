import type { IncomingHttpHeaders } from 'node:http'
import { fail } from '../../contract/errors.ts'
import { hostName } from '../../contract/host-name.ts'
import { originOf } from '../../contract/origin.ts'

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
 * @param origins of pages elsewhere that may call it too.
 * @throws SluiceError when one of them is no name, or no origin, and would never match.
 */
export function createHostGuard(
  boundHost: string,
  extraHosts: readonly string[],
  origins: readonly string[] = [],
): HostGuard {
  const pages = new Set(origins.map(checkedOrigin))
  const names = new Set([...LOOPBACK_NAMES, bracketed(boundHost), ...extraHosts.map(checkedHost)])
  return (request) => {
    const { host, origin } = request.headers
    if (host === undefined || !names.has(nameOf(host))) {
      fail('forbidden', hostRefusal(host))
    }
    if (origin !== undefined && !pages.has(origin) && !names.has(nameOfOrigin(origin))) {
      fail('forbidden', originRefusal(origin))
    }
  }
}

function checkedHost(given: string): string {
  const result = hostName(given)
  if (result.ok) return result.host
  return fail('invalid_request', `--allow-host "${given}": ${result.fault}.`)
}

/** As browsers send it. */
export function checkedOrigin(given: string): string {
  const result = originOf(given)
  if (result.ok) return result.origin
  return fail('invalid_request', `--allow-origin "${given}": ${result.fault}.`)
}

function hostRefusal(host: string | undefined): string {
  if (host === undefined) return 'This server answers only to requests that name its Host.'
  const name = nameOf(host)
  const advice = hostName(name).ok ? `; allow it with --allow-host ${name}.` : '.'
  return `This server does not answer to the Host ${told(host)}${advice}`
}

function originRefusal(given: string): string {
  const name = nameOfOrigin(given)
  const refusal = `Requests from pages of the Origin ${told(given)} are not allowed`
  const result = originOf(given)
  if (!result.ok || !hostName(name).ok) return `${refusal}.`
  return (
    `${refusal}; allow it with --allow-origin ${result.origin}, or with --allow-host ${name} ` +
    'where that is a name of this server itself.'
  )
}

/** What a stranger sent is told back to him, but not at any length, and nothing that is no text. */
function told(given: string): string {
  const plain = given.replaceAll(/[^\x20-\x7e]/g, '?')
  return JSON.stringify(plain.length > TOLD_MOST ? `${plain.slice(0, TOLD_MOST)}…` : plain)
}

const TOLD_MOST = 100

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
