import type { Evidence, Version } from '../evidence.ts'
import { type Checked, type Counts, count, type Finding } from '../finding.ts'
import type { Saved } from '../log.ts'
import { Touching } from './touching.ts'

/**
 * What somebody outside saved is in the history, if anybody could have seen it: it stood for some
 * seconds, or an agent's commit came in its place. What another outsider replaced at once is counted.
 */
export async function checkSaves(evidence: Evidence): Promise<Checked> {
  const findings: Finding[] = []
  const counts: Counts = {}
  const touching = new Touching(evidence.log)
  const history = new SavedHistory(evidence)
  for (const save of evidence.log) {
    if (save.kind !== 'saved') continue
    const { by, way, path, unit, sha256, to } = save
    const until = touching.next(path, to) ?? evidence.restedAt
    const why =
      until - to > STOOD_MS
        ? 'stood'
        : touching.isCommittedWithin(path, to, until)
          ? 'was replaced by an agent'
          : undefined
    const isThere = await history.has(save, until)
    count(counts, `saves: ${why ?? 'were replaced outside at once'}${isThere ? '' : ', unseen'}`)
    if (isThere || why === undefined) continue
    const under = touching.commitAt(path, save)
    const ours = under === undefined ? '' : `; ${under.by} ${under.how} ${under.unit} was under way`
    const what = `${by} ${way} ${unit ?? sha256?.slice(0, 12)} ${why} for ${until - to} ms${ours}`
    findings.push({ kind: 'lost-save', path, what: `${what} (saved ${save.from} to ${to})` })
  }
  return { findings, counts }
}

/** Looks for what was saved: by its whole content, or by the part of it that has a name. */
class SavedHistory {
  private readonly evidence: Evidence
  private readonly contents: ReadonlySet<string>
  private readonly byPath = new Map<string, Version[]>()

  constructor(evidence: Evidence) {
    this.evidence = evidence
    this.contents = new Set(evidence.versions.map(({ sha256 }) => sha256))
    for (const version of evidence.versions) {
      const list = this.byPath.get(version.path) ?? []
      this.byPath.set(version.path, list)
      list.push(version)
    }
  }

  async has({ path, unit, sha256, from }: Saved, until: number): Promise<boolean> {
    if (sha256 !== undefined) return this.contents.has(sha256)
    for (const version of this.byPath.get(path) ?? []) {
      if (version.at < from - CLOCK_MS || version.at > until + LATE_MS) continue
      if ((await this.evidence.contentOf(version))?.units.has(unit ?? '')) return true
    }
    return false
  }
}

/** Longer than anybody needs to notice a change. */
const STOOD_MS = 2000
const CLOCK_MS = 5
/** What was replaced is looked at for so long after. */
const LATE_MS = 15_000
