import { sha256Of } from '../content.ts'
import { SHARED } from '../tree.ts'
import { runCommand } from './command.ts'
import { logStanding, type Restored } from './restored.ts'
import type { Stage } from './writer.ts'

/** What somebody does with git in a shell. Whoever calls has everything for itself among outsiders. */
export class Git {
  private readonly stage: Stage
  private readonly by: string

  constructor(stage: Stage, by: string) {
    this.stage = stage
    this.by = by
  }

  /** Some files as the last commit has them. */
  async checkout(paths: readonly string[]): Promise<void> {
    const from = Date.now()
    const restored = await this.contentsIn('HEAD', paths)
    const { code } = await this.git('checkout', 'HEAD', '--', ...paths.map((path) => `.${path}`))
    this.logged('git checkout', paths, from, restored, code === 0)
  }

  /** All that is not committed is put aside, and brought back a moment later. */
  async stash(): Promise<void> {
    const from = Date.now()
    const first = await this.contentsIn('HEAD', SHARED)
    const { code, out } = await this.git('stash')
    this.logged('git stash', SHARED, from, first, code === 0)
    if (code !== 0 || out.includes('No local changes')) return
    const begun = Date.now()
    const kept = await this.contentsIn('stash@{0}', SHARED)
    const popped = await this.git('stash', 'pop')
    this.logged('git stash pop', SHARED, begun, kept, popped.code === 0)
    // Somebody wrote to what it would bring back: it stays put aside, and is not wanted any more.
    if (popped.code !== 0) await this.reset()
  }

  async commit(): Promise<void> {
    await this.git('commit', '-aqm', 'as it is')
  }

  private async reset(): Promise<void> {
    await this.git('stash', 'drop')
    await this.git('reset', '-q')
  }

  private logged(
    way: string,
    paths: readonly string[],
    from: number,
    restored: readonly Restored[],
    isDone: boolean,
  ): void {
    const { log } = this.stage
    const of = { by: this.by, way, from }
    log.add({ kind: 'touched', ...of, to: Date.now(), paths, restored })
    if (isDone) logStanding(this.stage, of, restored)
  }

  private async contentsIn(commit: string, paths: readonly string[]): Promise<Restored[]> {
    const names = paths.map((path) => `${commit}:${path.slice(1)}\n`).join('')
    const { out } = await runCommand(this.stage.root, 'git', ['cat-file', '--batch'], names)
    const found: Restored[] = []
    let at = 0
    for (const path of paths) {
      const end = out.indexOf(0x0a, at)
      const [, kind, size] = out.subarray(at, end).toString().split(' ')
      at = end + 1
      if (kind !== 'blob') continue
      found.push({ path, sha256: sha256Of(out.subarray(at, at + Number(size))) })
      at += Number(size) + 1
    }
    return found
  }

  private git(...words: string[]) {
    return runCommand(this.stage.root, 'git', words)
  }
}
