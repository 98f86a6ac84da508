import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ERRORS } from '../../src/contract/errors.ts'
import { EVENT_KINDS } from '../../src/contract/events.ts'
import { OPERATION_NAMES, operationOf } from '../../src/contract/operations.ts'

/** Of all that others build on: it changes with any public schema. */
export function hashOfSchemas(): string {
  const hash = createHash('sha256').update(JSON.stringify(publicSchemas())).digest('hex')
  return hash.slice(0, 16)
}

function publicSchemas(): unknown {
  const schema = (type: z.ZodType, io: 'input' | 'output') =>
    z.toJSONSchema(type, { io, unrepresentable: 'any' })
  return {
    operations: OPERATION_NAMES.map((name) => {
      const { kind, role, idempotent, input, output, errors, content, http } = operationOf(name)
      return [
        name,
        kind,
        role,
        idempotent,
        schema(input, 'input'),
        schema(output, 'output'),
        errors,
        content,
        http,
      ]
    }),
    errors: ERRORS,
    events: Object.entries(EVENT_KINDS).map(([kind, { number, version, data, shown }]) => [
      kind,
      number,
      version,
      schema(data, 'output'),
      schema(shown, 'output'),
    ]),
  }
}
