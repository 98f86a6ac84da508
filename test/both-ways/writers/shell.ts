import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chance } from '../../../sim/chance.ts'
import { block, mark } from '../content.ts'
import { pickShared, REMOVED, SHARED } from '../tree.ts'
import { runCommand } from './command.ts'
import { Git } from './git.ts'
import { contentsBelow, logStanding, type Restored } from './restored.ts'
import { type Stage, Writer } from './writer.ts'

/** Somebody at a shell: every deed is a program of its own. */
export class Shell extends Writer {
  private readonly git: Git
  private readonly aside: string
  private readonly deeds: readonly { weight: number; do: () => Promise<void> }[]

  /** @param aside a folder outside of the tree, on the same file system */
  constructor(name: string, stage: Stage, chance: Chance, aside: string) {
    super(name, stage, chance)
    this.git = new Git(stage, name)
    this.aside = aside
    this.deeds = [
      { weight: 34, do: () => this.append() },
      { weight: 34, do: () => this.sed() },
      { weight: 8, do: () => this.move() },
      { weight: 4, do: () => this.moveAndBack() },
      { weight: 3, do: () => this.remove() },
      { weight: 4, do: () => this.removeAndRestore() },
      { weight: 4, do: () => this.unpack() },
      { weight: 4, do: () => this.alone(() => this.git.checkout(this.some())) },
      { weight: 1, do: () => this.alone(() => this.git.stash()) },
      { weight: 1, do: () => this.alone(() => this.git.commit()) },
    ]
  }

  protected override async act(): Promise<void> {
    await this.chance.weighted(this.deeds).do()
  }

  private alone(task: () => Promise<void>): Promise<void> {
    return this.stage.turns.take(['/'], task)
  }

  private some(): readonly string[] {
    if (this.chance.happens(0.2)) return [...SHARED]
    return [...new Set([pickShared(this.chance), pickShared(this.chance)])]
  }

  private async append(): Promise<void> {
    const path = pickShared(this.chance)
    const unit = this.unit()
    const text = block(unit, path, this.chance.int(1500) + 100)
    await this.saving('append', path, unit, 'cat >> "$1"', [`.${path}`], text)
  }

  private async sed(): Promise<void> {
    const path = pickShared(this.chance)
    const unit = this.unit()
    // Not an error for sed: a file without a mark is written as it was.
    const line = 'grep -q "^mark: " "$1" && sed -i "0,/^mark: .*/s//$2/" "$1"'
    await this.saving('sed -i', path, unit, line, [`.${path}`, mark(unit)])
  }

  private async saving(
    way: string,
    path: string,
    unit: string,
    line: string,
    words: readonly string[],
    input?: string,
  ): Promise<void> {
    const { log, turns } = this.stage
    await turns.take([path], async () => {
      const { code, from, to } = await this.sh(line, words, input)
      const of = { by: this.name, way, from, to }
      if (code !== 0) log.add({ kind: 'touched', ...of, paths: [path] })
      else log.add({ kind: 'saved', ...of, path, unit, open: { from, to } })
    })
  }

  /** Onto another file, which is gone by that. */
  private async move(): Promise<void> {
    const [path, to] = [pickShared(this.chance), pickShared(this.chance)]
    if (path === to) return
    await this.touching('mv', [path, to], 'mv "$1" "$2"', [`.${path}`, `.${to}`])
  }

  private async moveAndBack(): Promise<void> {
    const path = pickShared(this.chance)
    const line = 'mv "$1" "$1.aside" && sleep "$2" && mv "$1.aside" "$1"'
    const seconds = this.chance.between(0.02, 0.3).toFixed(2)
    await this.touching('mv there and back', [path], line, [`.${path}`, seconds])
  }

  private async remove(): Promise<void> {
    const path = pickShared(this.chance)
    await this.touching('rm', [path], 'rm -f "$1"', [`.${path}`])
  }

  private async touching(
    way: string,
    paths: readonly string[],
    line: string,
    words: readonly string[],
  ): Promise<void> {
    const { log, turns } = this.stage
    await turns.take(paths, async () => {
      const { from, to } = await this.sh(line, words)
      log.add({ kind: 'touched', by: this.name, way, from, to, paths })
    })
  }

  /** What lies in a folder comes back with all its times, as other files. */
  private async removeAndRestore(): Promise<void> {
    const path = this.chance.pick(REMOVED)
    await this.stage.turns.take([path], async () => {
      const copy = join(mkdtempSync(join(this.aside, 'copy-')), 'all')
      const from = Date.now()
      await this.sh('cp -a "$1" "$2"; rm -rf "$1"; sleep "$3"', [
        `.${path}`,
        copy,
        this.chance.between(0, 0.2).toFixed(2),
      ])
      await this.putThere(path, copy, { way: 'rm -rf and restore', from })
    })
  }

  /** A folder of new files comes at once, in the place of the one before. */
  private async unpack(): Promise<void> {
    const path = `/pack/${this.name}`
    await this.stage.turns.take([path], async () => {
      const copy = join(mkdtempSync(join(this.aside, 'pack-')), 'all')
      mkdirSync(join(copy, 'deep'), { recursive: true })
      for (const name of ['a.txt', 'b.txt', 'deep/c.txt']) {
        const text = block(this.unit(), `${path}/${name}`, this.chance.int(3000) + 100)
        writeFileSync(join(copy, name), text)
      }
      const from = Date.now()
      await this.sh('mkdir -p ./pack; rm -rf "$1"', [`.${path}`])
      await this.putThere(path, copy, { way: 'unpack', from })
    })
  }

  private async putThere(
    path: string,
    copy: string,
    { way, from }: { way: string; from: number },
  ): Promise<void> {
    const restored: Restored[] = await this.contents(copy, path)
    const isMoved = this.chance.happens(0.5)
    const line = isMoved
      ? 'mv -T "$2" "$1" || { mkdir -p "$1" && cp -a "$2/." "$1/"; }'
      : 'mkdir -p "$1" && cp -a "$2/." "$1/"'
    await this.sh(line, [`.${path}`, copy])
    const of = { by: this.name, way: `${way}, ${isMoved ? 'moved' : 'copied'}`, from }
    this.stage.log.add({ kind: 'touched', ...of, to: Date.now(), paths: [path], restored })
    logStanding(this.stage, of, restored)
    rmSync(join(copy, '..'), { recursive: true, force: true })
  }

  /** None, where an agent had taken the folder away. */
  private async contents(copy: string, path: string): Promise<Restored[]> {
    try {
      return contentsBelow(copy, path)
    } catch {
      return []
    }
  }

  private sh(line: string, words: readonly string[], input?: string) {
    return runCommand(this.stage.root, 'sh', ['-c', line, 'sh', ...words], input)
  }
}
