/** An origin as browsers send it: scheme, host and port. */
export type OriginResult = { ok: true; origin: string } | { ok: false; fault: string }

/** Reads an origin that somebody configured; what to write instead is told where it is none. */
export function originOf(given: string): OriginResult {
  const text = given.trim()
  if (text.includes('*')) {
    return fault('origins are written out, one by one: a pattern would let pages of strangers in')
  }
  const isWhole = /^https?:\/\//i.test(text)
  const url = isWhole ? text : `https://${text}`
  if (text === 'null' || (!isWhole && text.includes('://')) || !URL.canParse(url)) {
    return fault('that is no origin such as https://app.example.org:8443')
  }
  const { origin, href } = new URL(url)
  if (!isWhole) return fault(`write "${origin}" or "${origin.replace('https:', 'http:')}"`)
  if (href !== `${origin}/`) {
    return fault(`write "${origin}": scheme, name and port, and nothing after`)
  }
  return { ok: true, origin }
}

function fault(text: string): OriginResult {
  return { ok: false, fault: text }
}
