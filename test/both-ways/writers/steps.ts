import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { markIn, remarked, sha256Of } from '../content.ts'

/** What programs do to files when they save: one step is a system call or a few. Paths are of the tree. */
export type Step =
  /** Emptied, and written in parts, as programs do. */
  | { do: 'write'; path: string; text: string }
  | { do: 'rename'; path: string; to: string; isOptional?: true }
  | { do: 'copy'; path: string; to: string; isOptional?: true }
  | { do: 'remove'; path: string; isOptional?: true }
  | { do: 'remove-tree'; path: string }
  | { do: 'pause'; ms: number }
  /** Reads a file and writes it with another mark. */
  | { do: 'remark'; path: string; to: string; unit: string }

export interface Performed {
  from: number
  to: number
  /** While a file had only a part of its content. */
  open?: { from: number; to: number }
  /** Of what was written last. */
  sha256?: string
  /** It could not go on: somebody else had been there. */
  error?: string
}

export async function perform(root: string, steps: readonly Step[]): Promise<Performed> {
  const done: Performed = { from: Date.now(), to: 0 }
  try {
    for (const step of steps) {
      if (step.do === 'pause') await pause(step.ms)
      else performOne(root, step, done)
    }
  } catch (error) {
    done.error = (error as NodeJS.ErrnoException).code ?? String(error)
  }
  done.to = Date.now()
  return done
}

function performOne(root: string, step: Exclude<Step, { do: 'pause' }>, done: Performed): void {
  const place = join(root, step.path)
  switch (step.do) {
    case 'write':
      return write(place, step.text, done)
    case 'rename':
      return optionally(step, () => renameSync(place, join(root, step.to)))
    case 'copy':
      return optionally(step, () => copyFileSync(place, join(root, step.to)))
    case 'remove':
      return optionally(step, () => unlinkSync(place))
    case 'remove-tree':
      return rmSync(place, { recursive: true, force: true })
    case 'remark': {
      const text = readFileSync(place, 'utf8')
      if (markIn(text) === undefined) throw new Error('there is no mark in it')
      return write(join(root, step.to), remarked(text, step.unit), done)
    }
  }
}

function write(place: string, text: string, done: Performed): void {
  const bytes = Buffer.from(text)
  mkdirSync(dirname(place), { recursive: true })
  const from = Date.now()
  const file = openSync(place, 'w')
  try {
    for (let at = 0; at < bytes.length; )
      at += writeSync(file, bytes, at, Math.min(PART_BYTES, bytes.length - at))
  } finally {
    closeSync(file)
  }
  done.open = { from, to: Date.now() }
  done.sha256 = sha256Of(bytes)
}

function optionally(step: { isOptional?: true }, task: () => void): void {
  try {
    task()
  } catch (error) {
    if (step.isOptional !== true || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

const PART_BYTES = 32 * 1024
