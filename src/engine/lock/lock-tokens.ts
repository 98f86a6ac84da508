import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Lock tokens (locks §32): an HMAC-SHA-256 of the lock's id under the server's secret, cut to 128
 * bits. Nothing secret is stored, and a retried acquire gives the same token. HMAC is spelled out
 * (RFC 2104) over one-shot hashes: every grant makes a token, and an Hmac object costs as much as
 * deciding the grant.
 */
export class LockTokens {
  private readonly inner: Buffer
  private readonly outer: Buffer
  private readonly workspace: string

  constructor(key: Uint8Array, workspace: string) {
    this.inner = padded(key, 0x36, MESSAGE_BYTES)
    this.outer = padded(key, 0x5c, DIGEST_BYTES)
    this.workspace = workspace
  }

  of(lock: number): string {
    const end = this.inner.write(`lock ${this.workspace} ${lock}`, BLOCK_BYTES, 'latin1')
    const digest = hash('sha256', this.inner.subarray(0, BLOCK_BYTES + end), 'buffer')
    this.outer.set(digest, BLOCK_BYTES)
    const mac = hash('sha256', this.outer, 'buffer')
    return `L${lock}.${mac.subarray(0, 16).toString('base64url')}`
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

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const MESSAGE_BYTES = 128

/** The key, padded to a block and mixed with `pad` (RFC 2104 §2), with room for what follows. */
function padded(key: Uint8Array, pad: number, roomBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + roomBytes)
  const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (short[i] ?? 0) ^ pad
  return block
}
