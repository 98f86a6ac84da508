import type { z } from 'zod'
import type { ErrorCode } from './errors.ts'

/** One thing that can be asked of Sluice, whatever the door. See `operations.ts` for the table. */
export interface Operation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodType = z.ZodType,
> {
  /** A command is decided, recorded and may change state; a query reads. */
  kind: 'command' | 'query'
  /** One sentence for help, OpenAPI and the reference. */
  summary: string
  /** Least role; rights on paths are checked besides, by the decision itself. */
  role: 'public' | 'agent' | 'supervisor' | 'admin'
  /** The same call twice leaves the same state, with no request id. */
  idempotent: boolean
  input: Input
  output: Output
  errors: readonly ErrorCode[]
  /** Bytes that travel beside the JSON: a request body or an answer's body. */
  content?: 'in' | 'out'
  http: {
    method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
    /** Below `/v1`. `{name}` is an input field; `{path+}` takes the rest of the URL. */
    path: string
    /** Status by outcome; the first is the usual one. */
    status: readonly number[]
  }
  /** The command line: `sluice <command> <arguments…>`, other inputs are flags. */
  cli?: { command: string; arguments: readonly string[] }
}

/** Keeps the literal types of a row. */
export function operation<I extends z.ZodObject, O extends z.ZodType>(
  row: Operation<I, O>,
): Operation<I, O> {
  return row
}
