import type { Evidence } from '../evidence.ts'
import { type Checked, type Counts, count, type Finding } from '../finding.ts'

/** At rest the folder has what the records say, and nothing of the server's. */
export async function checkRest(evidence: Evidence): Promise<Checked> {
  const findings: Finding[] = []
  const counts: Counts = {}
  const { heads, folder, later } = evidence
  count(counts, 'files at rest', folder.size)
  for (const path of [...new Set([...heads.keys(), ...folder.keys()])].sort()) {
    if (heads.get(path) === folder.get(path)) continue
    const is = later.heads.get(path) === later.folder.get(path) ? 'for some seconds' : 'for good'
    const what = `the folder has ${brief(folder.get(path))}, the records ${brief(heads.get(path))}`
    findings.push({ kind: 'apart', path, what: `${what}, ${is}` })
  }
  for (const path of evidence.left)
    findings.push({ kind: 'left-over', path, what: 'is still there' })
  for (const what of evidence.troubles) findings.push({ kind: 'trouble', path: '', what })
  return { findings, counts }
}

function brief(sha256: string | undefined): string {
  return sha256 === undefined ? 'nothing' : sha256 === '' ? 'no content' : sha256.slice(0, 12)
}
