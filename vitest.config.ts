import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/**
 * `npm test` runs all but the long tests, `npm run test:long` those alone: storms, many kills, large
 * searches, a process for every command. They stand in files of their own, named `*.long.test.ts`.
 */
const LONG = 'test/**/*.long.test.ts'

export default defineConfig(({ mode }) => ({
  test: {
    ...(mode === 'long'
      ? { include: [LONG] }
      : { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], exclude: [LONG] }),
    reporters: ['default', './test/closing-line.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Many tests wait for a process or the network: one more than there are cores.
    maxWorkers: availableParallelism() + 1,
  },
}))
