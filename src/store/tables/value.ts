/** The stored form of a table's values, the same in every adapter. */
import { Packr } from 'msgpackr'

// Records would tie a value to structures seen earlier; each value has to stand for itself.
const packr = new Packr({ useRecords: false })

/** The result may share memory with others: store a copy. */
export function encodeValue(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** Bytes inside the value are views of `encoded`, which must belong to the caller. */
export function decodeValue(encoded: Uint8Array): unknown {
  return packr.unpack(encoded)
}

/** Text that is not well-formed has no UTF-8 form, so that two such keys could be stored as one. */
export function checkKey(key: string): void {
  if (!key.isWellFormed()) throw new TypeError('A key has half of a surrogate pair.')
}
