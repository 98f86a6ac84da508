import { expect, test } from 'vitest'
import { TOOL_NAMES } from '../../src/face/mcp/tools.ts'
import { TOOLS_OF, TOOLS_OF_NONE } from '../../src/face/mcp/tools-of-operations.ts'

test('every tool is named by an operation, and every tool that one names is there', () => {
  const named = Object.values(TOOLS_OF).flatMap((one) => ('none' in one ? [] : one.tools))
  expect(new Set([...named, ...TOOLS_OF_NONE])).toEqual(new Set(TOOL_NAMES))
  for (const spoken of Object.values(TOOLS_OF)) {
    if ('none' in spoken) expect(spoken.none).not.toBe('')
  }
})
