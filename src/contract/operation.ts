import type { z } from 'zod'
import type { ErrorCode } from './errors.ts'
import { requestId } from './operation/fields.ts'

/** One thing that can be asked of Sluice, whatever the door. See `operations.ts` for the table. */
export interface Operation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodType = z.ZodType,
> {
  /**
   * A command is decided, recorded and may change state; a query reads. A lease call looks after what
   * is no fact: the time of a lock, the wait for a place in a queue.
   */
  kind: 'command' | 'query' | 'lease'
  /**
   * Whose it is: a workspace's, or the server's own. `stream`: a workspace's, or of the server's own
   * facts where it names `.server`, which supervisors may.
   */
  of: 'workspace' | 'server' | 'stream'
  /** One sentence for help, OpenAPI and the reference. */
  summary: string
  /** Least role, checked for every call; rights on paths are checked besides, by the decision itself. */
  role: 'agent' | 'supervisor' | 'admin'
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

type Row<I extends z.ZodObject, O extends z.ZodType> = Omit<Operation<I, O>, 'kind'>

const answeredOnce = { request_id: requestId.optional() }

/** Every command can be sent again: the same request id gets the same answer (locks §11). */
export function command<S extends z.ZodRawShape, O extends z.ZodType, const R extends object>(
  row: Row<z.ZodObject<S, z.core.$strict>, O> & R,
): Omit<R, 'input'> & {
  kind: 'command'
  input: z.ZodObject<S & typeof answeredOnce, z.core.$strict>
  output: O
} {
  const input = row.input.extend(answeredOnce)
  return { ...row, kind: 'command', input } as never
}

export function query<I extends z.ZodObject, O extends z.ZodType, const R extends object>(
  row: Row<I, O> & R,
): R & { kind: 'query'; input: I; output: O } {
  return { ...row, kind: 'query' }
}

export function lease<I extends z.ZodObject, O extends z.ZodType, const R extends object>(
  row: Row<I, O> & R,
): R & { kind: 'lease'; input: I; output: O } {
  return { ...row, kind: 'lease' }
}
