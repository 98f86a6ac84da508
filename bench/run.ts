/**
 * `npm run bench [-- NAME…] [-- --quick]`: runs scenarios and says what they found.
 *
 * `--quick` proves that every scenario works and prints figures that mean nothing; it fails on
 * faults only, never on time. `--record` keeps the run in limits.json and README.md.
 */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { runContention } from './contention.ts'
import { runDecide } from './decide.ts'
import { runFiles } from './files.ts'
import { runGrowth } from './growth.ts'
import { runHandover } from './handover.ts'
import { runLocks } from './locks.ts'
import { loadWarning, machineLine } from './machine.ts'
import { isMet, type Options, printReport, type Report, record } from './report.ts'
import { runSwarm } from './swarm.ts'

interface Scenario {
  name: string
  about: string
  run(options: Options): Promise<Report>
  /** Length of one timed cell of a full run. */
  cellMs: number
  rounds: number
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'locks', about: 'uncontended lock pairs', run: runLocks, cellMs: 3000, rounds: 3 },
  { name: 'handover', about: 'one file, many waiters', run: runHandover, cellMs: 3000, rounds: 3 },
  {
    name: 'contention',
    about: 'many workers, few hot files',
    run: runContention,
    cellMs: 3000,
    rounds: 3,
  },
  {
    name: 'decide',
    about: 'the decision alone, in process',
    run: runDecide,
    cellMs: 2000,
    rounds: 3,
  },
  { name: 'files', about: 'reads and durable writes', run: runFiles, cellMs: 3000, rounds: 3 },
  { name: 'swarm', about: 'many agents, few files', run: runSwarm, cellMs: 10_000, rounds: 3 },
  {
    name: 'growth',
    about: 'many locks, files, sessions',
    run: runGrowth,
    cellMs: 60_000,
    rounds: 1,
  },
]

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
})

const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
if (unknown.length > 0) {
  const known = SCENARIOS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')
  console.error(`no scenario ${unknown.join(', ')}. There are:\n${known}`)
  process.exit(2)
}

const machine = machineLine(process.env.SLUICE_BENCH_DIR ?? tmpdir())
console.log(machine)
const warning = loadWarning()
if (warning !== undefined) console.log(warning)
let faults = 0
for (const scenario of SCENARIOS) {
  if (names.length > 0 && !names.includes(scenario.name)) continue
  const options = optionsFor(scenario)
  const command = ['npm run bench --', scenario.name, ...given()].join(' ')
  console.log(`\n━━ ${scenario.name}: ${scenario.about} ━━  ${command}`)
  const start = performance.now()
  const found = await scenario.run(options)
  const report = warning === undefined ? found : { ...found, notes: [...found.notes, warning] }
  printReport(report)
  const missed = report.figures.filter((figure) => !isMet(figure))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const summary = flags.quick ? '' : `, ${missed.length} targets missed`
  console.log(`${scenario.name}: ${report.faults.length} faults${summary}, ${seconds} s`)
  faults += report.faults.length
  if (flags.record) record({ scenario: scenario.name, command, machine }, report)
}
process.exit(faults === 0 ? 0 : 1)

function optionsFor({ cellMs, rounds }: Scenario): Options {
  return {
    quick: flags.quick,
    rounds: Number(flags.rounds ?? (flags.quick ? 1 : rounds)),
    cellMs:
      flags.seconds === undefined ? (flags.quick ? 300 : cellMs) : Number(flags.seconds) * 1000,
  }
}

function given(): string[] {
  const shown: string[] = []
  if (flags.quick) shown.push('--quick')
  if (flags.rounds !== undefined) shown.push('--rounds', flags.rounds)
  if (flags.seconds !== undefined) shown.push('--seconds', flags.seconds)
  return shown
}
