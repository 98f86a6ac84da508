import type { Evidence } from '../evidence.ts'
import { type Checked, type Counts, count, type Finding } from '../finding.ts'
import { Touching } from './touching.ts'

/**
 * Nothing of an agent's came back as a change from outside. Contents of agents do come from outside where
 * somebody brought them back (git, a copy, a name that went and came), which those say of themselves.
 */
export async function checkEcho(evidence: Evidence): Promise<Checked> {
  const findings: Finding[] = []
  const counts: Counts = {}
  const touching = new Touching(evidence.log)
  const ours = new Set<string>()
  for (const { agent, path, sha256, revision, at, message, how } of evidence.versions) {
    if (sha256 === '' || how === 'delete') continue
    const key = `${path} ${sha256}`
    if (agent !== 'outside') {
      ours.add(key)
      continue
    }
    if (!ours.has(key)) continue
    const isBrought = touching.of(path).some((one) => {
      if (one.from > at || one.to < at - TAKEN_IN_MS) return false
      if (one.kind === 'saved') return one.sha256 === sha256
      if (one.way.startsWith('mv')) return true
      return one.restored?.some((old) => old.path === path && old.sha256 === sha256) === true
    })
    if (isBrought) count(counts, 'versions of outside: brought back')
    // After what a program wrote to a file that was replaced, what stands is recorded once more.
    else if (message === STANDS) count(counts, 'versions of outside: stands again')
    else findings.push({ kind: 'echo', path, what: `version ${revision}, recorded ${at}` })
  }
  return { findings, counts }
}

/** A change is taken in within that time. */
const TAKEN_IN_MS = 15_000
const STANDS = 'What stands in the folder'
