import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * What could go on for ever, and how much of it is done: in `npm test`, and in `npm run test:long`, which
 * runs these files once more beside those named `*.long.test.ts`. `AMOUNT=9` asks for another amount.
 */
export const AMOUNTS: Readonly<Record<string, { of: string; usual: number; long: number }>> = {
  'test/case/e-launcher.test.ts': { of: 'of the signals to each starter', usual: 1, long: 3 },
  'test/case/h-readme.test.ts': { of: 'shells', usual: 1, long: 2 },
  'test/chaos/folder-kill.test.ts': { of: 'times kill -9 over a folder', usual: 25, long: 120 },
  'test/chaos/kill.test.ts': { of: 'times kill -9', usual: 5, long: 40 },
  'test/chaos/storm.test.ts': { of: 'seconds of bad network', usual: 6, long: 60 },
  'test/core/random.test.ts': { of: 'histories', usual: 40, long: 2000 },
  'test/fuzz/fuzz.test.ts': { of: 'rounds of 200 requests', usual: 5, long: 100 },
  'test/fuzz/tools.test.ts': { of: 'rounds of 200 calls', usual: 5, long: 100 },
  'test/model/crowded.test.ts': { of: 'histories', usual: 50, long: 2000 },
  'test/model/deadlock.test.ts': { of: 'histories of each order', usual: 150, long: 3000 },
  'test/model/exhaustive.test.ts': { of: 'steps deeper', usual: 0, long: 2 },
  'test/model/order.test.ts': { of: 'runs', usual: 2, long: 20 },
  'test/model/random.test.ts': { of: 'histories', usual: 1000, long: 50_000 },
}

/** How much of it this run does; `url` is the file's own. */
export function amountOf(url: string): number {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const file = relative(root, fileURLToPath(url)).split(sep).join('/')
  const row = AMOUNTS[file]
  if (row === undefined) throw new Error(`test/amount.ts has no row for ${file}`)
  const amount = Number(
    process.env.AMOUNT ?? (process.env.TEST_LONG === '1' ? row.long : row.usual),
  )
  console.log(`${file}: ${amount} ${row.of}`)
  return amount
}
