/**
 * 1 KB reads and writes over MCP stdio: `sluice mcp`, over its own store and over a real folder, beside
 * the official filesystem server, all driven by one client. Sluice's writes are on disk when they are
 * answered; the official server's are not (it does not sync).
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, type Load, median, runFor, spread, type Work } from './measure.ts'
import { filesystemServerVersion, startFilesystemServer } from './peer/filesystem-server.ts'
import { connectStdio } from './peer/mcp-client.ts'
import { type Figure, number, type Options, type Report, type Table } from './report.ts'
import { SLUICE, startSluice } from './server.ts'
import { onStage, type Stage } from './stage.ts'

const KIB = 1024
const IN_FLIGHT = [1, 16]
const ACTIONS = ['read', 'write'] as const

type Action = (typeof ACTIONS)[number]

interface Side {
  name: string
  facts: string
  read(file: number): Promise<string>
  write(file: number, text: string): Promise<unknown>
}

interface Cell {
  side: Side
  action: Action
  inFlight: number
}

export function runFiles(options: Options): Promise<Report> {
  return onStage('files', async (stage) => {
    const sides = [
      ...(await startSluiceSides(stage)),
      await startFolder(stage),
      await startOfficial(stage),
    ]
    const faults = (await Promise.all(sides.map(check))).flat()
    const cells = ACTIONS.flatMap((action) =>
      IN_FLIGHT.flatMap((inFlight) => sides.map((side) => ({ side, action, inFlight }))),
    )
    const loads = await interleave(options.rounds, cells, async (cell) => {
      const works = Array.from({ length: cell.inFlight }, (_, file) => workOf(cell, file))
      await runFor(options.cellMs / 5, works)
      return runFor(options.cellMs, works)
    })
    return reportOf(sides, loads, faults)
  })
}

const pathOf = (file: number): string => `/file-${file}.txt`

/** 1 KB that differs from one turn to the next, so that no side can skip a write. */
const textOf = (turn: number): string => `${turn} `.padEnd(KIB - 1, 'sluice ').concat('\n')

function workOf({ side, action }: Cell, file: number): Work {
  let turn = 0
  if (action === 'read') return () => side.read(file)
  return () => {
    turn += 1
    return side.write(file, textOf(turn))
  }
}

async function startSluiceSides(stage: Stage): Promise<Side[]> {
  const server = await startSluice(stage)
  const workspace = (await server.connect()).workspace('main')
  const mcp = await connectStdio(stage, [SLUICE, 'mcp', '--data', server.data])
  return [
    {
      name: 'sluice mcp',
      facts:
        '`sluice mcp` in front of a running `sluice serve`: read_text_file, write_file (durable)',
      read: (file) => mcp.call('read_text_file', { path: `/mcp${pathOf(file)}` }),
      write: (file, content) => mcp.call('write_file', { path: `/mcp${pathOf(file)}`, content }),
    },
    {
      name: 'Sluice SDK',
      facts: 'the SDK over one socket, for information: read, write (durable)',
      read: async (file) => (await workspace.read(`/sdk${pathOf(file)}`)).text(),
      write: (file, text) => workspace.write(`/sdk${pathOf(file)}`, text),
    },
  ]
}

/** The drop-in: the same folder, paths and calls as of the official server. */
async function startFolder(stage: Stage): Promise<Side> {
  const folder = join(stage.folder, 'folder')
  await mkdir(folder)
  await writeFile(join(folder, 'start.txt'), '')
  const mcp = await connectStdio(stage, [SLUICE, 'mcp', '--idle-exit', '2', folder])
  return {
    name: FOLDER,
    facts:
      '`sluice mcp DIR` on a real folder, with the server that it starts: read_text_file, write_file (durable, and in the folder)',
    read: (file) => mcp.call('read_text_file', { path: join(folder, pathOf(file)) }),
    write: (file, content) => mcp.call('write_file', { path: join(folder, pathOf(file)), content }),
  }
}

async function startOfficial(stage: Stage): Promise<Side> {
  const folder = join(stage.folder, 'official')
  await mkdir(folder)
  await writeFile(join(folder, 'start.txt'), '')
  const mcp = await startFilesystemServer(stage, folder)
  return {
    name: OFFICIAL,
    facts: `@modelcontextprotocol/server-filesystem ${filesystemServerVersion()}: read_text_file, write_file (temporary file and rename, no sync)`,
    read: (file) => mcp.call('read_text_file', { path: join(folder, pathOf(file)) }),
    write: (file, content) => mcp.call('write_file', { path: join(folder, pathOf(file)), content }),
  }
}

const OFFICIAL = 'official filesystem server'
const FOLDER = 'sluice mcp DIR'

/** Makes the files, and makes sure that each side gives back what it was given. */
async function check(side: Side): Promise<string[]> {
  const faults: string[] = []
  for (let file = 0; file < Math.max(...IN_FLIGHT); file += 1) {
    await side.write(file, textOf(file))
    if ((await side.read(file)) !== textOf(file)) faults.push(`${side.name} lost what it was given`)
  }
  return faults
}

function reportOf(sides: Side[], loads: Map<Cell, Load[]>, faults: string[]): Report {
  const groups = ACTIONS.flatMap((action) => IN_FLIGHT.map((inFlight) => ({ action, inFlight })))
  const cellsOf = (group: { action: Action; inFlight: number }): [Cell, Load[]][] =>
    [...loads].filter(([cell]) => cell.action === group.action && cell.inFlight === group.inFlight)
  return {
    tables: groups.map((group) => tableOf(group, cellsOf(group))),
    figures: groups.flatMap((group) =>
      ['sluice mcp', FOLDER].map((name) => figureOf(name, group, cellsOf(group))),
    ),
    notes: sides.map(({ name, facts }) => `${name}: ${facts}`),
    faults,
  }
}

function tableOf(group: { action: Action; inFlight: number }, cells: [Cell, Load[]][]): Table {
  const officialRate = median(ratesOf(cells.find(([{ side }]) => side.name === OFFICIAL)![1]))
  return {
    title: `1 KB ${group.action}s, ${group.inFlight} in flight`,
    columns: ['', 'calls/s', 'min–max', 'p50 ms', 'p99 ms', 'client', 'over official'],
    rows: cells.map(([{ side }, rounds]) => {
      const { median: rate, min, max } = spread(ratesOf(rounds))
      return [
        side.name,
        number(rate),
        `${number(min)}–${number(max)}`,
        number(median(rounds.map(({ p50Ms }) => p50Ms))),
        number(median(rounds.map(({ p99Ms }) => p99Ms))),
        `${Math.round(median(rounds.map(({ driverCpu }) => driverCpu)) * 100)} %`,
        `${number(rate / officialRate)} ×`,
      ]
    }),
  }
}

function figureOf(
  side: string,
  group: { action: Action; inFlight: number },
  cells: [Cell, Load[]][],
): Figure {
  const rates = (name: string): number[] =>
    ratesOf(cells.find(([{ side }]) => side.name === name)![1])
  const official = rates(OFFICIAL)
  return {
    name: `${side} / official, 1 KB ${group.action}s, ${group.inFlight} in flight`,
    unit: '×',
    values: rates(side).map((rate, round) => rate / official[round]!),
    margin: 0.3,
    reason:
      'same client, same machine, same round; three processes share the cores on our side, two on theirs',
    ...targetOf(side, group),
  }
}

function targetOf(side: string, { action, inFlight }: { action: Action; inFlight: number }) {
  if (side !== FOLDER) return action === 'write' ? { target: { atLeast: 2 } } : {}
  const many = action === 'read' ? 1.3 : 1.5
  return { target: { atLeast: inFlight === 1 ? 1 : many } }
}

const ratesOf = (loads: readonly Load[]): number[] => loads.map(({ perSecond }) => perSecond)
