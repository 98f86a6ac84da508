import { expect, it } from 'vitest'
import { OPERATION_NAMES, type OperationName } from '../../src/contract/operations.ts'
import { filesIn } from '../house/source.ts'

/** Tools are made by hand, few and in words that models know. What no tool offers is listed here. */
const WITHOUT_TOOL: readonly OperationName[] = [
  // The door's own.
  'open_session',
  'list_sessions',
  'end_session',
  // For admins and people, who have the command line.
  'list_workspaces',
  'get_workspace',
  'put_workspace',
  'delete_workspace',
  'list_agents',
  'get_agent',
  'put_agent',
  'delete_agent',
  'create_token',
  'put_group',
  'list_groups',
  'query_audit',
  'verify_audit',
  // Others say it.
  'get_history',
  'get_lock',
]

it('an operation is called by a tool, or listed here as one without', () => {
  const text = filesIn('src/face/mcp', '.ts').map((file) => file.text)
  const called = new Set(
    [...text.join('\n').matchAll(/\bcall\w*\(\s*(?:\w+,\s*)?'(\w+)'/g)].map(([, name]) => name),
  )
  expect(OPERATION_NAMES.filter((name) => !called.has(name))).toEqual(WITHOUT_TOOL)
})
