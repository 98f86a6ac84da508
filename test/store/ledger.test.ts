import { describe, expect, test } from 'vitest'
import { ledgerContract } from './ledger.ts'
import { ledgers } from './registry.ts'

test('at least one adapter of ledger is registered', () => {
  expect(ledgers).not.toHaveLength(0)
})

for (const adapter of ledgers) describe(`ledger: ${adapter.name}`, () => ledgerContract(adapter))
