import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { AMOUNTS } from './test/amount.ts'
import LongestFirst from './test/longest-first.ts'

// Every worker, and every process that a test starts, loads the same modules: they are compiled once.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache')

const LONG = 'test/**/*.long.test.ts'

/** `npm test`: what must hold, in minutes. `npm run test:long`: what takes longer, and more of some. */
export default defineConfig(({ mode }) => ({
  test: {
    ...(mode === 'long'
      ? { include: [LONG, ...Object.keys(AMOUNTS)], env: { TEST_LONG: '1' }, testTimeout: 600_000 }
      : { include: ['test/**/*.test.ts'], exclude: [LONG], testTimeout: 20_000 }),
    reporters: ['default', './test/closing-line.ts'],
    hookTimeout: 30_000,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Many tests wait for a process or the network: one more than there are cores.
    maxWorkers: availableParallelism() + 1,
  },
}))
