/** What a server may be called by, as Host and Origin have it: a name or address, without the rest. */
export type HostResult = { ok: true; host: string } | { ok: false; fault: string }

const NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/
const V6 = /^\[?([0-9a-f:.]*:[0-9a-f:.]*)\]?$/

/** Reads a name that somebody configured; what it is taken for is told where it is none. */
export function hostName(given: string): HostResult {
  const host = given.trim().toLowerCase().replace(/\.$/, '')
  if (host.length <= 253 && NAME.test(host)) return { ok: true, host }
  const v6 = V6.exec(host)?.[1]
  if (v6 !== undefined && URL.canParse(`http://[${v6}]/`)) return { ok: true, host: `[${v6}]` }
  return { ok: false, fault: faultOf(host) }
}

function faultOf(host: string): string {
  if (host.includes('*')) {
    return 'names are written out, one by one: with a pattern any web page could reach this server'
  }
  const bare = bareName(host)
  if (bare !== undefined) return `write "${bare}": the name alone, without scheme, port or path`
  return 'that is no host name such as files.example.org, and no address'
}

/** The name within a URL, or before a port or a path. */
function bareName(host: string): string | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\//.test(host) ? host : `http://${host}`
  if (host === '' || !URL.canParse(url)) return undefined
  const { hostname } = new URL(url.replace(/^[a-z0-9+.-]+:/, 'http:'))
  return hostname === '' || hostname === host ? undefined : hostname
}
