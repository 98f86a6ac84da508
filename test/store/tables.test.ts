import { describe, expect, test } from 'vitest'
import { tables } from './registry.ts'
import { tablesContract } from './tables.ts'

test('at least one adapter of tables is registered', () => {
  expect(tables).not.toHaveLength(0)
})

for (const adapter of tables) describe(`tables: ${adapter.name}`, () => tablesContract(adapter))
