import { OPERATION_NAMES, type OperationName, operationOf } from '../../contract/operations.ts'
import { code, page } from './markdown.ts'
import { fieldsText, shapesText } from './schema.ts'

const ABOUT = `Everything that can be asked of Sluice, by any door. Over HTTP, names in the path come from the URL, the rest from the query or the JSON body; over the socket and with \`sluice call\` the input is one object. Any operation may also be refused with \`invalid_request\`, \`unauthenticated\`, \`overloaded\` or \`internal\`. A running server has the same as OpenAPI at \`/openapi.json\`.`

export function operationsPage(): string {
  const list = OPERATION_NAMES.map((name) => `- [${name}](#${name}): ${operationOf(name).summary}`)
  return page('Operations', ABOUT, [
    list.join('\n'),
    ...OPERATION_NAMES.map(operationText),
    '## Shapes',
    shapesText(),
  ])
}

function operationText(name: OperationName): string {
  const row = operationOf(name)
  const { summary, kind, role, idempotent, http, cli, content, input, output, errors } = row
  const facts = [
    `${code(`${http.method} /v1${http.path}`)}, answers ${http.status.join(', ')}`,
    ...(cli === undefined ? [] : [`command ${code(['sluice', cli.command].join(' '))}`]),
    `${kind}, for the role ${code(role)} and up`,
    idempotent ? 'idempotent' : 'not idempotent',
    ...(content === 'in' ? ['content in the body'] : []),
    ...(content === 'out' ? ['content in the answer’s body'] : []),
  ]
  const refusals = errors.map((one) => `[${one}](errors.md#${one})`).join(', ')
  return [
    `## ${name}`,
    summary,
    `${facts.join('; ')}.`,
    `**Input**\n\n${fieldsText(input, 'input')}`,
    `**Answer**\n\n${fieldsText(output, 'output')}`,
    ...(refusals === '' ? [] : [`**Refused with** ${refusals}`]),
  ].join('\n\n')
}
