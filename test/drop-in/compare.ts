import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Call, WRITING_TOOLS } from './call.ts'
import { type Compared, type Difference, outcomeDifferences, type Pair } from './difference.ts'
import type { Place } from './folder/make.ts'
import { mirror } from './folder/mirror.ts'
import { bytesOfPath } from './folder/names.ts'
import { pathsThatDiffer, type Snapshot, snapshotOf } from './folder/snapshot.ts'
import { hasFailed, neutralOf, type Outcome, outcomeOf } from './outcome.ts'
import type { ToolServer } from './stdio-server.ts'

/** A server and the place that it works at. */
export interface Side {
  server: ToolServer
  place: Place
}

/**
 * Makes the same calls at two servers on equal folders, one after the other, and tells what differs. The
 * folders are looked at after each call that may change them, and now and then after others.
 */
export class Comparison {
  readonly differences: Difference[] = []
  private calls = 0
  private readonly session: string
  private readonly sides: Pair<Side>
  private before: Pair<Snapshot>

  constructor(session: string, sides: Pair<Side>) {
    this.session = session
    this.sides = sides
    this.before = this.look()
  }

  async make(call: Call): Promise<void> {
    const { official, ours } = this.sides
    const [theirs, mine] = await Promise.all([outcomeAt(official, call), outcomeAt(ours, call)])
    const outcomes = { official: theirs, ours: mine }
    const args = neutralOf(call.arguments(official.place.folder), official.place.base)
    const compared = { session: this.session, call, arguments: args }
    this.differences.push(...outcomeDifferences(compared, outcomes))
    this.calls += 1
    if (WRITING_TOOLS.has(call.tool) || this.calls % LOOKED_AT_EVERY === 0) {
      this.compareDisks(compared, outcomes)
    }
  }

  /** Once more at the end: what nobody looked at since the last write. */
  end(): void {
    const call = { name: 'end', title: 'what is left', tool: '' }
    this.compareDisks({ session: this.session, call, arguments: {} })
  }

  private compareDisks(compared: Compared, outcomes?: Pair<Outcome>): void {
    const { before } = this
    const after = this.look()
    const theirs = outcomes !== undefined && hasFailed(outcomes.official)
    const mine = outcomes !== undefined && hasFailed(outcomes.ours)
    const differing = pathsThatDiffer(after.official, after.ours)
    const changed = pathsThatDiffer(before.ours, after.ours)
    if (mine) {
      for (const path of changed) this.tell(compared, 'changed by a refusal', path, after, outcomes)
    }
    // Where only one of them has done it, their folders differ for that; nothing beside it may.
    const told =
      theirs === mine ? differing : changed.filter((path) => !mine && path.startsWith('outside'))
    for (const path of topmost(told, after)) this.tell(compared, 'disk', path, after, outcomes)
    this.before = after
    if (differing.length === 0) return
    mirror(this.sides.ours.place, this.sides.official.place, after.ours)
    this.before = this.look()
  }

  private tell(
    compared: Compared,
    aspect: 'disk' | 'changed by a refusal',
    path: string,
    after: Pair<Snapshot>,
    outcomes: Pair<Outcome> | undefined,
  ): void {
    const official = after.official.get(path)
    const ours = after.ours.get(path)
    const both = official?.kind === 'file' && ours?.kind === 'file'
    this.differences.push({
      ...compared,
      aspect,
      at: path,
      official,
      ours,
      ...(outcomes === undefined ? {} : { outcomes }),
      ...(both
        ? { bytes: { official: this.read('official', path), ours: this.read('ours', path) } }
        : {}),
    })
  }

  private read(side: keyof Pair<Side>, path: string): Buffer {
    return readFileSync(bytesOfPath(join(this.sides[side].place.base, path)))
  }

  private look(): Pair<Snapshot> {
    const { official, ours } = this.sides
    return { official: snapshotOf(official.place.base), ours: snapshotOf(ours.place.base) }
  }
}

/** What a call changed that should change nothing is told with one of these. */
const LOOKED_AT_EVERY = 25

/** Where a folder is at one place only, nothing is said of what lies in it. */
function topmost(paths: readonly string[], { official, ours }: Pair<Snapshot>): string[] {
  const missing = paths.filter((path) => official.has(path) !== ours.has(path))
  return paths.filter((path) => !missing.some((folder) => path.startsWith(`${folder}/`)))
}

async function outcomeAt({ server, place }: Side, call: Call): Promise<Outcome> {
  const args = call.arguments(place.folder)
  const reply = await server.request('tools/call', {
    name: call.tool,
    ...(args === undefined ? {} : { arguments: args }),
  })
  return outcomeOf(reply, place.base, call.tool)
}
