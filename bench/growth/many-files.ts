import { join } from 'node:path'
import type { Workspace } from '../../src/client/index.ts'
import { mean, percentile, timeEach } from '../measure.ts'
import { type Figure, number, type Options, type Report } from '../report.ts'
import { type SluiceServer, startSluice } from '../server.ts'
import { onStage, residentMib, type Stage } from '../stage.ts'

const FILES_PER_COMMIT = 10_000
const FILES_PER_FOLDER = 1000

interface Outcome {
  files: number
  filesPerSecond: number
  builtMib: number
  startsMs: number[]
  startedMib: number
  usedMib: number
  writesMs: number[]
  readsMs: number[]
}

/** Start-up, memory and latency with few files and with a million. */
export function measureManyFiles({ quick }: Options): Promise<Report> {
  const counts = quick ? [100, 1000] : [10_000, 1_000_000]
  return onStage('growth-files', async (stage) => {
    const outcomes: Outcome[] = []
    for (const files of counts) {
      const data = join(stage.folder, `data-${files}`)
      outcomes.push(await build(stage, data, files, quick ? 20 : 1000))
    }
    return reportOf(outcomes, quick)
  })
}

async function build(stage: Stage, data: string, files: number, calls: number): Promise<Outcome> {
  let server = await startSluice(stage, data)
  const before = performance.now()
  await makeFiles((await server.connect()).workspace('main'), files)
  const filesPerSecond = (files * 1000) / (performance.now() - before)
  const builtMib = await memoryOf(server)
  await server.stop()
  const startsMs: number[] = []
  // The first start after a build finds warm disk caches, as any restart does.
  for (let start = 0; start < 3; start += 1) {
    server = await startSluice(stage, data)
    startsMs.push(server.startMs)
    if (start < 2) await server.stop()
  }
  const startedMib = await memoryOf(server)
  const workspace = (await server.connect()).workspace('main')
  const text = 'x'.repeat(1024)
  const writesMs = await timeEach(calls, (index) =>
    workspace.write(`${folderOf(index * 7919, files)}/new-${index}.md`, text),
  )
  const readsMs = await timeEach(calls, (index) => workspace.read(pathOf((index * 7919) % files)))
  const usedMib = await memoryOf(server)
  await server.stop()
  return { files, filesPerSecond, builtMib, startsMs, startedMib, usedMib, writesMs, readsMs }
}

async function makeFiles(workspace: Workspace, files: number): Promise<void> {
  for (let from = 0; from < files; from += FILES_PER_COMMIT) {
    const count = Math.min(FILES_PER_COMMIT, files - from)
    const changes = Array.from({ length: count }, (_, index) => ({
      op: 'write' as const,
      path: pathOf(from + index),
      text: `file ${from + index}\n`.padEnd(100, 'text '),
    }))
    await workspace.commit(changes)
  }
}

const folderOf = (file: number, files: number): string =>
  `/tree/${Math.floor((file % files) / FILES_PER_FOLDER)}`

const pathOf = (file: number): string => `/tree/${Math.floor(file / FILES_PER_FOLDER)}/${file}.md`

async function memoryOf(server: SluiceServer): Promise<number> {
  return (await residentMib(server.pid)) ?? Number.NaN
}

function reportOf(outcomes: Outcome[], quick: boolean): Report {
  const most = outcomes.at(-1)!
  const name = `${number(most.files)} files`
  const figures: Figure[] = [
    {
      name: `start with ${name}`,
      unit: 'ms',
      values: most.startsMs,
      margin: 0.5,
      reason: 'from spawn to the ready line, two Node starts included, disk caches warm',
      ...(quick ? {} : { target: { atMost: 2000 } }),
    },
    {
      name: `memory with ${name}, the higher of started and used`,
      unit: 'MiB RSS',
      values: [Math.max(most.startedMib, most.usedMib)],
      margin: 0.2,
      reason: 'garbage collection leaves some tens of MiB to chance',
      ...(quick ? {} : { target: { atMost: 600 } }),
    },
    {
      name: `memory right after ${name} were made by commits of ${number(FILES_PER_COMMIT)}`,
      unit: 'MiB RSS',
      values: [most.builtMib],
      margin: 0.3,
      reason: 'mostly garbage of large commits that the allocator keeps',
    },
    {
      name: `1 KB write p50 with ${name} / with ${number(outcomes[0]!.files)}`,
      unit: '×',
      values: [percentile(most.writesMs, 50) / percentile(outcomes[0]!.writesMs, 50)],
      margin: 0.5,
      reason: 'one sync dominates either; a rise means a cost that grows with the tree',
    },
  ]
  return {
    tables: [
      {
        title: 'Start, memory and latency as files grow in number',
        columns: [
          'files',
          'made/s',
          'start ms',
          'RSS built',
          'started',
          'used MiB',
          'write p50 ms',
          'p99',
          'read p50 ms',
          'p99',
        ],
        rows: outcomes.map(rowOf),
      },
    ],
    figures,
    notes: [
      `Files of 100 bytes, ${number(FILES_PER_FOLDER)} a folder, made by commits of ${number(FILES_PER_COMMIT)}. RSS of the serving process: after making them, after a restart, after 1,000 writes and reads. Writes: 1 KB, new files, one at a time, durable.`,
    ],
    faults: [],
  }
}

function rowOf(outcome: Outcome): string[] {
  return [
    outcome.files,
    outcome.filesPerSecond,
    mean(outcome.startsMs),
    outcome.builtMib,
    outcome.startedMib,
    outcome.usedMib,
    percentile(outcome.writesMs, 50),
    percentile(outcome.writesMs, 99),
    percentile(outcome.readsMs, 50),
    percentile(outcome.readsMs, 99),
  ].map(number)
}
