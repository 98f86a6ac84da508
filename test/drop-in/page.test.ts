import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { differencesPage, PAGE } from './differences-page.ts'

test('files §20: docs/drop-in.md lists the differences that the comparison allows; "node test/drop-in/page.ts" writes it', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(differencesPage())
})
