import { checkAcknowledged } from './checks/acknowledged.ts'
import { checkEcho } from './checks/echo.ts'
import { checkReads } from './checks/reads.ts'
import { checkRest } from './checks/rest.ts'
import { checkSaves } from './checks/saves.ts'
import type { Evidence } from './evidence.ts'
import type { Checked } from './finding.ts'

/**
 * Proves from what all writers say they did, and from what the server and the folder have at the end,
 * that nothing was lost, halved or echoed. It knows nothing of how the server works.
 */
export async function check(evidence: Evidence): Promise<Checked> {
  const all: Checked = { findings: [], counts: {} }
  for (const one of [checkAcknowledged, checkSaves, checkReads, checkEcho, checkRest]) {
    const { findings, counts } = await one(evidence)
    all.findings.push(...findings)
    Object.assign(all.counts, counts)
  }
  return all
}
