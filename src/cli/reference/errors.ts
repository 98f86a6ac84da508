import { ERRORS, type ErrorCode } from '../../contract/errors.ts'
import { OPERATION_NAMES, operationOf } from '../../contract/operations.ts'
import { code, page } from './markdown.ts'

const ABOUT = `Every refusal, at every door, is a problem body of RFC 9457: \`type\` (\`/errors/CODE\`), \`title\`, \`status\`, \`code\`, \`detail\` (one sentence that says what to do next), \`retry\`, for \`after\` also \`retry_after_s\`, and what the code promises besides. \`retry\` tells a program what can help: \`no\` nothing, \`now\` the same call at once, \`after\` the same call later, \`new_input\` a changed call. The exit code is that of the command line.`

const WHO: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'any operation; `fields` says what is wrong, field by field',
  unauthenticated:
    'any operation, when the token is missing or not known, or the session has ended',
  overloaded: 'any operation, when the server is too busy, or cannot be reached',
  read_only_mode: 'any operation, while the server is stopping',
  internal: 'any operation; `id` is in the log of the server',
  rate_limited: 'any operation, after too many failed authentications from one address',
}

export function errorsPage(): string {
  return page('Errors', ABOUT, (Object.keys(ERRORS) as ErrorCode[]).map(errorText))
}

function errorText(name: ErrorCode): string {
  const { status, retry, exit, title } = ERRORS[name]
  const givers = OPERATION_NAMES.filter((one) => operationOf(one).errors.includes(name))
  const links = givers.map((one) => `[${one}](operations.md#${one})`).join(', ')
  const from =
    WHO[name] ?? (links === '' ? 'reserved: no operation of this release gives it' : links)
  return [
    `## ${name}`,
    `${title}. Status ${code(status)}, retry ${code(retry)}, exit code ${code(exit)}.`,
    `From: ${from}.`,
  ].join('\n\n')
}
