import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Lock tokens (locks §32): 144 bits of SHAKE256 of the server's secret and the lock's id. Nothing secret
 * is stored, and a retried acquire gives the same token.
 *
 * A plain hash of secret and message is a sound MAC with a sponge, which does not tell its inner state
 * (Bertoni et al., "Cryptographic sponge functions", §5.11; KMAC, NIST SP 800-185, is the same with
 * padding). One call gives as many bytes as one likes, so it makes the tokens of a block of ids that
 * follow each other, as those of locks do: a token of its own for each would be a twentieth of a grant.
 */
export class LockTokens {
  private readonly message: Buffer
  private readonly start: number
  /** The tokens of the block that was asked for last. */
  private block = Number.NaN
  private texts = ''

  /** @param key at least 32 random bytes */
  constructor(key: Uint8Array, workspace: string) {
    const prefix = Buffer.from(` lock ${workspace} `, 'utf8')
    this.message = Buffer.concat([key, prefix, Buffer.alloc(ID_BYTES)])
    this.start = key.length + prefix.length
  }

  of(lock: number): string {
    const place = lock % BLOCK
    const block = lock - place
    if (block !== this.block) {
      this.texts = this.textsOf(block)
      this.block = block
    }
    return `L${lock}.${this.texts.slice(place * CHARACTERS, (place + 1) * CHARACTERS)}`
  }

  /** The lock that a token proves, or undefined for one that proves nothing. */
  verify(token: string): number | undefined {
    const match = /^L(\d{1,16})\.([A-Za-z0-9_-]{24})$/.exec(token)
    if (match === null) return undefined
    const lock = Number(match[1])
    const given = Buffer.from(token)
    const right = Buffer.from(this.of(lock))
    return given.length === right.length && timingSafeEqual(given, right) ? lock : undefined
  }

  private textsOf(block: number): string {
    const end = this.start + this.message.write(String(block), this.start, 'latin1')
    return hash('shake256', this.message.subarray(0, end), {
      outputEncoding: 'base64url',
      outputLength: BLOCK * BYTES,
    })
  }
}

const ID_BYTES = 16
/** Ids whose tokens are made together. */
const BLOCK = 32
/** Of a token; a multiple of three, so that its text begins and ends with it. */
const BYTES = 18
const CHARACTERS = (BYTES / 3) * 4
