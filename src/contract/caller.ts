/**
 * Who may hold locks and have seen versions (guard §1): a session, `agent:name`, or one of those who
 * share a session, `agent:name/caller`.
 */
export const CALLER_NAME = /^[A-Za-z0-9._-]{1,64}$/

/** A name, or a full id of a session or of one of its callers. */
export const SESSION_NAME =
  /^[A-Za-z0-9._-]{1,64}(:[A-Za-z0-9._-]{1,64}(\/[A-Za-z0-9._-]{1,64})?)?$/

/** What the name of a caller begins with that was made for one lock, because nothing said who called. */
const ONCE = 'once-'

/** The session that a caller shares with others; undefined for a session of its own. */
export function parentOf(session: string): string | undefined {
  const cut = session.indexOf('/')
  return cut < 0 ? undefined : session.slice(0, cut)
}

/** The part of an id behind its agent: the name of the session, and of the caller if there is one. */
export function nameWithin(session: string): string {
  return session.slice(session.indexOf(':') + 1)
}

/** A caller for one lock, below the session that calls without a name share. */
export function onceName(random: string): string {
  return `${ONCE}${random}`
}

export function isOnce(session: string): boolean {
  return session.includes(`/${ONCE}`)
}
