import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Starts what takes longest first, also in a clone that has no durations of earlier runs yet: else a
 * long file that comes last is waited for alone.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((path) => moduleId.endsWith(path))
      return index < 0 ? LONGEST.length : index
    }
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}

/** As measured; the rest ends soon. */
const LONGEST = [
  // Of the long ones.
  'test/both-ways/both-ways.long.test.ts',
  'test/scenario/scenario.long.test.ts',
  'test/house/toy.long.test.ts',
  'test/cli/process.long.test.ts',
  'test/model/exhaustive.test.ts',
  'test/model/deadlock.test.ts',
  'test/chaos/kill.test.ts',
  'test/chaos/folder-kill.test.ts',
  // Of all others.
  'test/both-ways/both-ways.test.ts',
  'test/cli/mcp.test.ts',
  'test/case/e-launcher.test.ts',
  'test/client/restart.test.ts',
  'test/house/toy.test.ts',
  'test/cli/serve.test.ts',
  'test/scenario/scenario.test.ts',
  'test/sim/seeds.test.ts',
  'test/chaos/frozen.test.ts',
  'test/chaos/storm.test.ts',
  'test/case/e-server-gone.test.ts',
  'test/store/ledger.test.ts',
  'test/limits/slow-client.test.ts',
]
