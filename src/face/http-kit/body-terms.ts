import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { fail, refuse } from '../../contract/errors.ts'
import { ContentBroken } from '../../engine/api.ts'
import { titled } from './header-rules.ts'

/** What the headers say of a body: how it is coded, and what its sums must be. */
export interface BodyTerms {
  coding: Coding | undefined
  digests: readonly Digest[]
}

export const CODINGS = ['gzip', 'deflate', 'br'] as const
export type Coding = (typeof CODINGS)[number]

export interface Digest {
  header: string
  algorithm: string
  /** In base64. */
  expected: string
}

/** Hashes by their names in headers, as `node:crypto` has them. */
const HASHES: Record<string, string> = {
  'sha-512': 'sha512',
  'sha-256': 'sha256',
  sha: 'sha1',
  md5: 'md5',
}

/** @throws a refusal for a coding or a sum that is not known: neither may be passed over. */
export function bodyTermsOf(headers: IncomingHttpHeaders): BodyTerms {
  return { coding: codingOf(headers), digests: digestsOf(headers) }
}

function codingOf(headers: IncomingHttpHeaders): Coding | undefined {
  const named = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  const [first, ...others] = named.map((name) => (name === 'x-gzip' ? 'gzip' : name))
  if (first === undefined) return undefined
  const known = CODINGS.find((name) => name === first)
  if (known !== undefined && others.length === 0) return known
  const most = `one of ${CODINGS.join(', ')}, or none`
  return fail('unsupported', `Content-Encoding "${named.join(', ')}" is not known here: ${most}.`, {
    header: 'content-encoding',
  })
}

function digestsOf(headers: IncomingHttpHeaders): Digest[] {
  const digests: Digest[] = []
  const md5 = headers['content-md5']
  if (md5 !== undefined) {
    digests.push({ header: 'content-md5', algorithm: 'md5', expected: String(md5).trim() })
  }
  for (const header of ['content-digest', 'repr-digest', 'digest']) {
    const value = headers[header]
    if (value !== undefined) digests.push(...listed(header, String(value)))
  }
  return digests
}

/** `sha-256=:BASE64:` of RFC 9530, or `SHA-256=BASE64` of RFC 3230; what is known of them counts. */
function listed(header: string, value: string): Digest[] {
  const found = value.split(',').flatMap((one) => {
    const [, name = '', expected = ''] = /^\s*([\w-]+)=:?([A-Za-z0-9+/]+=*):?\s*$/.exec(one) ?? []
    const algorithm = name.toLowerCase()
    return Object.hasOwn(HASHES, algorithm) ? [{ header, algorithm, expected }] : []
  })
  if (found.length > 0) return found
  return fail(
    'invalid_request',
    `${titled(header)}: none of its sums is known here; send sha-256.`,
    {
      header,
    },
  )
}

/** Passes the bytes on as they came, and throws at their end if a sum is another. */
export async function* checked(
  source: AsyncIterable<Uint8Array>,
  digests: readonly Digest[],
): AsyncGenerator<Uint8Array> {
  const hashes = digests.map(({ algorithm }) => createHash(HASHES[algorithm] as string))
  for await (const chunk of source) {
    for (const hash of hashes) hash.update(chunk)
    yield chunk
  }
  for (const [index, hash] of hashes.entries()) {
    const { header, expected } = digests[index] as Digest
    if (hash.digest('base64') === expected) continue
    const detail = `${titled(header)}: the body has another sum; nothing was changed.`
    throw ContentBroken.of(refuse('invalid_request', detail, { header }))
  }
}
