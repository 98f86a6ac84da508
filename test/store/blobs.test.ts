import { describe, expect, test } from 'vitest'
import { blobsContract } from './blobs.ts'
import { blobs } from './registry.ts'

test('at least one adapter of blobs is registered', () => {
  expect(blobs).not.toHaveLength(0)
})

for (const adapter of blobs) describe(`blobs: ${adapter.name}`, () => blobsContract(adapter))
