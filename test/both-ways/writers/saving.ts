import type { Chance } from '../../../sim/chance.ts'
import { block } from '../content.ts'
import { BUILT, pickShared, pickSize } from '../tree.ts'
import type { OutsiderProcess } from './outsider-process.ts'
import type { Step } from './steps.ts'
import { type Stage, Writer } from './writer.ts'

/** A way in which a program replaces the content of a file: what it does, step by step. */
export type Way = (path: string, text: string, chance: Chance) => readonly Step[]

/** As each editor does it; traced, and told in their manuals. */
export const EDITORS: Readonly<Record<string, Readonly<Record<string, Way>>>> = {
  vim: {
    /** `backupcopy=no`: the old file is put aside, and the new one is a new file. */
    renames: (path, text, chance) => [
      ...tried(path),
      { do: 'rename', path, to: `${path}~`, isOptional: true },
      breath(chance),
      { do: 'write', path, text },
      { do: 'remove', path: `${path}~`, isOptional: true },
    ],
    /** `backupcopy=yes`: a copy is made, and the file is written in place. */
    copies: (path, text, chance) => [
      ...tried(path),
      { do: 'copy', path, to: `${path}~`, isOptional: true },
      breath(chance),
      { do: 'write', path, text },
      { do: 'remove', path: `${path}~`, isOptional: true },
    ],
    /** `backup`: the old file stays under its other name. */
    keeps: (path, text) => [
      ...tried(path),
      { do: 'rename', path, to: `${path}~`, isOptional: true },
      { do: 'write', path, text },
    ],
  },
  code: { 'in place': (path, text) => [{ do: 'write', path, text }] },
  jetbrains: {
    safely: (path, text, chance) => [
      { do: 'write', path: `${path}___jb_tmp___`, text },
      { do: 'rename', path, to: `${path}___jb_old___`, isOptional: true },
      breath(chance),
      { do: 'rename', path: `${path}___jb_tmp___`, to: path },
      { do: 'remove', path: `${path}___jb_old___`, isOptional: true },
    ],
  },
  emacs: {
    first: (path, text) => [
      { do: 'rename', path, to: `${path}~`, isOptional: true },
      { do: 'write', path, text },
    ],
    later: (path, text) => [{ do: 'write', path, text }],
  },
}

/** Whether files can be made there at all. */
function tried(path: string): Step[] {
  const there = `${path.slice(0, path.lastIndexOf('/'))}/4913`
  return [
    { do: 'write', path: there, text: block('vim.4913', there, 40) },
    { do: 'remove', path: there, isOptional: true },
  ]
}

function breath(chance: Chance): Step {
  return { do: 'pause', ms: Math.round(chance.between(0, 4)) }
}

/** A program of somebody outside. */
abstract class Saver extends Writer {
  protected readonly process: OutsiderProcess

  constructor(name: string, stage: Stage, chance: Chance, process: OutsiderProcess) {
    super(name, stage, chance)
    this.process = process
  }

  /** A new text of a file; where a step fails, nobody can say what of it stands. */
  protected async save(
    path: string,
    unit: string,
    { way, steps }: { way: string; steps: readonly Step[] },
  ): Promise<void> {
    const { log, turns } = this.stage
    const of = { by: this.name, way }
    await turns.take([path], async () => {
      const { error, ...done } = await this.process.perform(steps)
      if (error === undefined) log.add({ kind: 'saved', ...of, path, unit, ...done })
      else log.add({ kind: 'touched', ...of, paths: [path], from: done.from, to: done.to })
    })
  }
}

/** Somebody at an editor: each save is a new text of the whole file. */
export class Editor extends Saver {
  protected override async act(): Promise<void> {
    const path = pickShared(this.chance)
    const ways = Object.entries(EDITORS[this.name] ?? {})
    const [word, way] = this.chance.pick(ways)
    const unit = this.unit()
    const steps = way(path, block(unit, path, pickSize(this.chance)), this.chance)
    await this.save(path, unit, { way: `${this.name} ${word}`, steps })
  }
}

/** Reads a file, and writes what it makes of it: in place, or by way of a name beside it. */
export class Formatter extends Saver {
  protected override async act(): Promise<void> {
    const path = pickShared(this.chance)
    const unit = this.unit()
    const isInPlace = this.chance.happens(0.5)
    const beside = `${path}.formatted`
    const steps: readonly Step[] = isInPlace
      ? [{ do: 'remark', path, to: path, unit }]
      : [
          { do: 'remark', path, to: beside, unit },
          { do: 'rename', path: beside, to: path },
        ]
    const way = isInPlace ? 'formats in place' : 'formats beside'
    await this.save(path, unit, { way, steps })
  }
}

/** Writes what git ignores anew, now and then from nothing. */
export class Build extends Saver {
  protected override async act(): Promise<void> {
    const { log, turns } = this.stage
    const isFresh = this.chance.happens(0.2)
    const steps: Step[] = isFresh ? [{ do: 'remove-tree', path: '/dist' }] : []
    for (const path of BUILT) {
      const text = block(this.unit(), path, pickSize(this.chance))
      if (isFresh || this.chance.happens(0.5)) steps.push({ do: 'write', path, text })
    }
    await turns.take(['/dist'], async () => {
      const { from, to } = await this.process.perform(steps)
      log.add({ kind: 'touched', by: this.name, way: 'builds', paths: ['/dist'], from, to })
    })
  }
}
