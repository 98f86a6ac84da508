/** What a figure was measured on: without it, no figure means anything. */
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { percentile } from './measure.ts'

const TMPFS = 0x01021994

/** One line: cores, memory, system, Node, and how long a sync of this folder's disk takes. */
export function machineLine(folder: string): string {
  const memoryGib = (totalmem() / 1024 ** 3).toFixed(0)
  const disk = isMemory(folder)
    ? 'in memory (tmpfs): syncs cost nothing, figures flatter everybody'
    : `fdatasync p50 ${syncMs(folder).toFixed(2)} ms`
  const model = cpus()[0]?.model.trim() ?? process.arch
  return `${availableParallelism()} cores (${model}), ${memoryGib} GiB, ${process.platform}, Node ${process.versions.node}, disk ${disk}`
}

function isMemory(folder: string): boolean {
  return process.platform === 'linux' && statfsSync(folder).type === TMPFS
}

/** Said when something else keeps the machine busy: the figures are then of both. */
export function loadWarning(): string | undefined {
  const load = loadavg()[0]!
  if (load < availableParallelism() / 4) return undefined
  return `the machine was busy with something else when this run began (load ${load.toFixed(1)})`
}

/** Median of 200 appends of 4 KiB, each made durable. */
export function syncMs(folder: string): number {
  const path = join(folder, `sync-probe-${process.pid}`)
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const times: number[] = []
  for (let index = 0; index < 200; index += 1) {
    const before = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - before)
  }
  closeSync(file)
  rmSync(path)
  return percentile(times, 50)
}
