import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import {
  type Input,
  OPERATION_NAMES,
  type OperationName,
  operationOf,
} from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { Screen } from '../screen.ts'
import { CONNECTION } from '../settings.ts'
import { UsageError } from '../usage-error.ts'

/** `sluice call`: any operation of the contract, its input and its answer as JSON. */
export const call: Command = {
  summary: 'Call any operation, with JSON in and out.',
  arguments: '<operation> [input]',
  settings: [
    {
      name: 'content',
      kind: 'text',
      placeholder: 'file',
      describes: 'Content for operations that take one; - for stdin',
    },
    ...CONNECTION,
  ],
  notes: `An input of "-" is read from stdin. Operations: ${OPERATION_NAMES.join(', ')}.`,
  async run({ values, arguments: [name = '', input = '{}'] }) {
    const operation = operationNamed(name)
    const parsed = parse(input === '-' ? await text(process.stdin) : input)
    const door = await doorOf(values)
    if (operationOf(operation).content === 'out') {
      const answer = await door.ask(operation, parsed)
      await pipeline(answer, process.stdout, { end: false })
      return undefined
    }
    const content =
      operationOf(operation).content === 'in' ? contentOf(values.text('content')) : undefined
    new Screen().json(await door.call(operation, parsed, content))
    return undefined
  },
}

function operationNamed(name: string): OperationName {
  if (OPERATION_NAMES.includes(name as OperationName)) return name as OperationName
  throw new UsageError(`There is no operation ${name}. There are ${OPERATION_NAMES.join(', ')}.`)
}

function parse(json: string): Input<OperationName> {
  try {
    const input: unknown = JSON.parse(json)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
      return input as Input<OperationName>
    }
  } catch (error) {
    throw new UsageError(`The input is not JSON: ${(error as Error).message}`)
  }
  throw new UsageError('The input must be a JSON object, for example {"path": "/a"}.')
}

function contentOf(file: string | undefined): Readable {
  if (file === undefined) throw new UsageError('This operation takes content: give --content FILE.')
  return file === '-' ? process.stdin : createReadStream(file)
}
