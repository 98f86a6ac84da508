import type { Evidence } from '../evidence.ts'
import { type Checked, type Counts, count, type Finding } from '../finding.ts'
import { BUILT } from '../tree.ts'
import { Touching } from './touching.ts'

/** Nobody read half a file, and each read is of the version that it says it is of. */
export async function checkReads(evidence: Evidence): Promise<Checked> {
  const findings: Finding[] = []
  const counts: Counts = {}
  const touching = new Touching(evidence.log)
  // A file that has moved has the version that was made under its other name.
  const known = Map.groupBy(evidence.versions, ({ revision }) => revision)
  for (const read of evidence.log) {
    if (read.kind === 'asked' && read.refused !== undefined && !OF_CHANGES.has(read.refused)) {
      const what = `${read.by} ${read.how}: ${read.refused}`
      findings.push({ kind: 'refused', path: read.path, what })
    }
    if (read.kind !== 'read') continue
    const { by, path, refused, seen, half } = read
    count(counts, refused === undefined ? 'reads' : `reads: refused, ${refused}`)
    // What is untracked is not kept, so a large file of it that changes while it is read has to be read again.
    const isUnkept = refused === 'stale_version' && BUILT.includes(path)
    if (refused !== undefined && !OF_READS.has(refused) && !isUnkept) {
      findings.push({ kind: 'refused', path, what: `${by} reads: ${refused}` })
    }
    if (half !== undefined) {
      // Whoever stops in the middle of a write for longer than that leaves half a file to see.
      if (touching.isStalled(path, read)) count(counts, 'reads: half, of a writer that had stopped')
      else {
        findings.push({
          kind: 'half-read',
          path,
          what: `${by} at ${read.from}–${read.to}: ${half}`,
        })
      }
    }
    if (seen === undefined) continue
    const versions = known.get(seen.version) ?? []
    if (versions.some(({ sha256 }) => sha256 === seen.sha256)) {
      count(counts, 'reads: compared with their version')
      continue
    }
    // What is untracked or was never asked for has versions without contents.
    if (versions.some(({ sha256 }) => sha256 === '')) continue
    const has = versions.length === 0 ? 'there is no such version' : 'it has another content'
    findings.push({ kind: 'other-read', path, what: `${by}, version ${seen.version}: ${has}` })
  }
  await checkVersions(evidence, touching, findings, counts)
  return { findings, counts }
}

/** What came from outside into the history is whole as well. */
async function checkVersions(
  evidence: Evidence,
  touching: Touching,
  findings: Finding[],
  counts: Counts,
): Promise<void> {
  for (const version of evidence.versions) {
    const { path, revision, agent, sha256, at, message } = version
    if (agent === 'outside')
      count(counts, `versions of outside${sha256 === '' ? ', not kept' : ''}`)
    if (agent !== 'outside' || sha256 === '' || isOdd(path)) continue
    const reading = await evidence.contentOf(version)
    if (reading !== undefined && reading.fault === undefined) continue
    if (touching.isStalled(path, { from: at - LOOK_MS, to: at })) {
      count(counts, 'versions of outside: half, of a writer that had stopped')
      continue
    }
    const why = `${reading?.fault ?? 'cannot be read'}; ${message ?? 'no message'}`
    const what = `version ${revision}, recorded ${at}: ${why}`
    findings.push({ kind: 'half-version', path, what })
  }
}

function isOdd(path: string): boolean {
  return path === '/.gitignore' || BUILT.includes(path) || isUnreadable(path)
}

/** Names beside a file that are made on the way: nobody is to read those. */
function isUnreadable(path: string): boolean {
  return /\/sed\w{6}$|___jb_tmp___$|\.formatted$/.test(path)
}

/** What a reader is told in documents (docs/reference/operations.md). */
const OF_READS: ReadonlySet<string> = new Set(['not_found'])
const OF_CHANGES: ReadonlySet<string> = new Set([
  ...['not_found', 'stale_version', 'unseen_version', 'edit_conflict', 'already_exists', 'locked'],
])
const LOOK_MS = 1500
