import { Chance } from '../../sim/chance.ts'

/** The same chance as the simulator's, for programs and requests that are real. */
export class Random extends Chance {
  chance(share: number): boolean {
    return this.happens(share)
  }

  bytes(size: number): Uint8Array<ArrayBuffer> {
    const words = new Uint32Array(Math.ceil(size / 4))
    for (let i = 0; i < words.length; i++) words[i] = this.next() * 2 ** 32
    return new Uint8Array(words.buffer, 0, size)
  }

  /** Kept seeds were made with this one. */
  override fork(name: string): Random {
    let hash = this.seed
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    return new Random(hash)
  }
}

/** The seed a run was given, or a new one. */
export function seedFrom(text: string | undefined): number {
  return text === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(text) >>> 0
}
