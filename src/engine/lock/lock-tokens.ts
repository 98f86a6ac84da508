import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Lock tokens (locks §32): SHA-512/256 of the server's secret and the lock's id, cut to 128 bits.
 * Nothing secret is stored, and a retried acquire gives the same token.
 *
 * A plain hash of secret and message is a sound MAC where the hash does not tell its inner state: of
 * SHA-512 half is cut off (FIPS 180-4 §6.7), so that nobody can go on from a token, as with SHA-256,
 * which needs HMAC for that. Every grant makes a token, and HMAC takes twice as long.
 */
export class LockTokens {
  private readonly message: Buffer
  private readonly start: number

  /** @param key at least 32 random bytes */
  constructor(key: Uint8Array, workspace: string) {
    const prefix = Buffer.from(` lock ${workspace} `, 'utf8')
    this.message = Buffer.concat([key, prefix, Buffer.alloc(ID_BYTES)])
    this.start = key.length + prefix.length
  }

  of(lock: number): string {
    const end = this.start + this.message.write(String(lock), this.start, 'latin1')
    const digest = hash('sha512-256', this.message.subarray(0, end), 'buffer')
    return `L${lock}.${digest.toString('base64url', 0, 16)}`
  }

  /** The lock that a token proves, or undefined for one that proves nothing. */
  verify(token: string): number | undefined {
    const match = /^L(\d{1,16})\.([A-Za-z0-9_-]{22})$/.exec(token)
    if (match === null) return undefined
    const lock = Number(match[1])
    const given = Buffer.from(token)
    const right = Buffer.from(this.of(lock))
    return given.length === right.length && timingSafeEqual(given, right) ? lock : undefined
  }
}

const ID_BYTES = 16
