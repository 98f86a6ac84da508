import type { FastifyRequest } from 'fastify'
import { CALLER_NAME, SESSION_NAME } from '../../contract/caller.ts'
import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import type { Caller, CallerName, EngineApi, Principal } from '../../engine/api.ts'
import { type FailureLimit, refuseToken } from './failure-limit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the authentication of every route that is not `public`. */
    principal: Principal | undefined
    /** Set once the caller's session was found; answers carry the revision only to such callers. */
    caller: Caller | undefined
  }
}

const SESSION_HEADER = 'sluice-session'
const AS_HEADER = 'sluice-as'

/**
 * Finds who asks, by `Bearer` token, or by `Basic` with the agent's name and its token. A good token
 * always passes: many agents share one address, and one that fails must not shut out the others.
 */
export function authenticate(
  engine: EngineApi,
  failures: FailureLimit,
  request: FastifyRequest,
): Principal {
  const header = request.headers.authorization
  if (header === undefined) {
    fail('unauthenticated', 'Send your token as "Authorization: Bearer TOKEN".')
  }
  const principal = principalOf(engine, header)
  if (principal !== undefined) return principal
  throw new SluiceError(problemOf(refuseToken(failures, request.ip)))
}

function principalOf(engine: EngineApi, header: string): Principal | undefined {
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) +(\S+) *$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return engine.authenticate(credentials)
  if (scheme.toLowerCase() !== 'basic') return undefined
  const text = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const principal = engine.authenticate(text.slice(colon + 1))
  return principal?.name === text.slice(0, colon) ? principal : undefined
}

/** The caller within its session: the one that `Sluice-Session` names, else the default one. */
export async function callerOf(engine: EngineApi, request: FastifyRequest): Promise<Caller> {
  if (request.principal === undefined)
    throw new Error('a route without authentication has no caller')
  request.caller = await engine.callerOf(request.principal, callerNameOf(request))
  return request.caller
}

/** What a request says of who makes it, within its principal. */
export function callerNameOf(request: FastifyRequest): CallerName {
  const as = request.headers[AS_HEADER]
  if (as !== undefined && (typeof as !== 'string' || !CALLER_NAME.test(as))) {
    fail('invalid_request', 'Sluice-As must be a name of 1 to 64 of A–Z a–z 0–9 . _ -.')
  }
  return { session: sessionNameOf(request), as }
}

function sessionNameOf(request: FastifyRequest): string | undefined {
  const session = request.headers[SESSION_HEADER]
  if (session === undefined) return undefined
  if (typeof session !== 'string' || !SESSION_NAME.test(session)) {
    fail(
      'invalid_request',
      'Sluice-Session must be a name of 1 to 64 of A–Z a–z 0–9 . _ -, or a session id.',
    )
  }
  return session
}
