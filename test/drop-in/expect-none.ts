import { expect } from 'vitest'
import type { Difference } from './difference.ts'
import type { REASONS } from './reasons.ts'
import { reportOn, reportText } from './report.ts'

/** Another seed makes another folder and other generated calls. */
export const SEED = Number(process.env.SLUICE_TEST_SEED ?? 1)
export const SESSION_MS = 120_000

/** Fails with all that a reader needs to see it again. */
export function expectNone(differences: readonly Difference[], reasons: typeof REASONS): void {
  const report = reportOn(differences, reasons)
  if (report.unexplained.length === 0 && report.stale.length === 0) return
  expect.fail(`SLUICE_TEST_SEED=${SEED}\n${reportText(report)}`)
}
