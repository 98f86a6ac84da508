import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with one plain line that any tool can read: `Tests: N passed, N failed, N skipped`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1
      for (const test of module.children.allTests()) count[test.result().state] += 1
    }
    const skipped = count.skipped + count.pending
    process.stdout.write(
      `Tests: ${count.passed} passed, ${count.failed} failed, ${skipped} skipped\n`,
    )
  }
}
