import type { FastifyRequest } from 'fastify'

/**
 * What a client may prefer (RFC 7240). Deletions answer with nothing unless they are asked to say
 * what they did. Refusals speak of routes unless a client that has words of its own wants the names
 * of the operations.
 */
export type Preference = 'return=representation' | 'wording=operations'

export function prefers(request: FastifyRequest, preference: Preference): boolean {
  return String(request.headers.prefer ?? '')
    .split(/\s*[,;]\s*/)
    .includes(preference)
}
