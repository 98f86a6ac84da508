/**
 * What the ledger's two threads say to each other. Requests are answered one by one, in the order
 * they were sent. Errors cross as plain data because cloning an error drops its class.
 */
import { Fenced, LedgerBusy, LedgerDamaged, LedgerFull } from '../ledger.ts'
import type { Row } from './chain.ts'

export type Request =
  | { kind: 'append'; epoch: number; after: number; batch: Omit<Row, 'hash'> }
  | { kind: 'page'; from: number; to: number; resumed: boolean }
  | { kind: 'trim'; before: number }
  | { kind: 'close' }
  | { kind: 'open'; file: string }

/** One step of a read. */
export interface Page {
  rows: Row[]
  /** The last revision that this read will see. */
  to: number
  /** Where the next page starts; undefined when this was the last one. */
  next: number | undefined
}

export interface Numbered {
  id: number
  request: Request
}

export interface Answer {
  id: number
  result?: unknown
  fault?: Fault
}

export interface Fault {
  name: string
  message: string
  revision: number
}

export function toFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), revision: 0 }
  const revision = error instanceof LedgerDamaged ? error.revision : 0
  return { name: error.name, message: error.message, revision }
}

export function fromFault({ name, message, revision }: Fault): Error {
  if (name === 'Fenced') return new Fenced(message)
  if (name === 'LedgerBusy') return new LedgerBusy(message)
  if (name === 'LedgerFull') return new LedgerFull(message)
  if (name === 'RangeError') return new RangeError(message)
  if (name !== 'LedgerDamaged') return new Error(message)
  return Object.assign(new LedgerDamaged(revision, ''), { message })
}
