import type { z } from 'zod'
import { fileOperations } from './operation/files.ts'
import { lockOperations } from './operation/locks.ts'
import { serverOperations } from './operation/server.ts'
import type { Operation } from './operation.ts'

/**
 * The table: everything that can be asked, whatever the door. HTTP routes and OpenAPI, MCP tools,
 * socket methods, SDK types, the command line and the reference are derived from it.
 * Names are fixed; fields may be added, never renamed.
 */
export const OPERATIONS = { ...serverOperations, ...fileOperations, ...lockOperations } as const

export type OperationName = keyof typeof OPERATIONS

/** What a caller may pass, before defaults. */
export type Input<N extends OperationName> = z.input<(typeof OPERATIONS)[N]['input']>
/** What the inside gets: canonical paths, defaults filled in. */
export type Parsed<N extends OperationName> = z.output<(typeof OPERATIONS)[N]['input']>
export type Output<N extends OperationName> = z.output<(typeof OPERATIONS)[N]['output']>

/** Operations with bytes beside the JSON: in the request, or in the answer. */
export type ContentIn = NamesWith<'in'>
export type ContentOut = NamesWith<'out'>
type NamesWith<C> = {
  [N in OperationName]: (typeof OPERATIONS)[N] extends { content: C } ? N : never
}[OperationName]

export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[]

/** The row as its general shape, for code that derives things from every row. */
export function operationOf(name: OperationName): Operation {
  return OPERATIONS[name]
}
