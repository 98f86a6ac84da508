import { type Checked, FINDING_KINDS, type FindingKind } from './finding.ts'

/** A run in words: what was counted, and what was found wrong. */
export function told({ findings, counts }: Checked): string {
  const lines = Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, number]) => `  ${what}: ${number}`)
  for (const kind of Object.keys(FINDING_KINDS) as FindingKind[]) {
    const some = findings.filter((one) => one.kind === kind)
    if (some.length === 0) continue
    lines.push(`${kind}: ${FINDING_KINDS[kind]}, ${some.length} times`)
    for (const { path, what } of some.slice(0, SHOWN)) lines.push(`  ${path}: ${what}`)
  }
  return lines.join('\n')
}

const SHOWN = 12
