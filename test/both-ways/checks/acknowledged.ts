import type { Evidence, Version } from '../evidence.ts'
import { type Checked, type Counts, count, type Finding } from '../finding.ts'

/** Every change that an agent was told is done is a version, with the content that it wrote. */
export async function checkAcknowledged(evidence: Evidence): Promise<Checked> {
  const findings: Finding[] = []
  const counts: Counts = {}
  const known = new Map(evidence.versions.map((one) => [`${one.revision} ${one.path}`, one]))
  for (const asked of evidence.log) {
    if (asked.kind !== 'asked') continue
    const { by, how, path, unit, sha256, version: number, refused } = asked
    count(counts, refused === undefined ? `agents: ${how}` : `agents: refused, ${refused}`)
    if (refused !== undefined || unit === undefined) continue
    const lost = (what: string): void => {
      findings.push({ kind: 'lost-acknowledged', path, what: `${by} ${how} ${unit}: ${what}` })
    }
    const version = known.get(`${number} ${path}`)
    if (version === undefined) {
      lost(`there is no version ${number}`)
      continue
    }
    const fault = await faultOf(evidence, version, by, unit, sha256)
    if (fault !== undefined) lost(`version ${number} ${fault}`)
    else if (!(await evidence.isReadable(version))) {
      // The names of a file are followed back so far and no farther (`PAST_KEPT`).
      if (evidence.isBeyondReach(path)) count(counts, 'agents: versions beyond reach by path')
      else lost(`version ${number} can no longer be read`)
    }
    // Of a file that another one has replaced since: it is read by path and revision, and listed nowhere.
    if (!evidence.listed.has(version.revision)) count(counts, 'agents: versions under no path')
  }
  return { findings, counts }
}

async function faultOf(
  evidence: Evidence,
  version: Version,
  by: string,
  unit: string,
  sha256: string | undefined,
): Promise<string | undefined> {
  if (version.agent !== by) return `is of ${version.agent}`
  if (sha256 !== undefined && version.sha256 !== sha256) return `has another content`
  const reading = await evidence.contentOf(version)
  if (reading === undefined) return 'has no content that can be read'
  return reading.units.has(unit) ? undefined : `has not got it`
}
