import { parseArgs } from 'node:util'

export interface Options {
  /** So many seeds from `from` on. */
  seeds: number
  from: number
  jobs: number
  ops: number
  /** One seed only. */
  seed: number | undefined
  /** Lines of the end of the run to print. */
  trace: number | undefined
  /** Planted bugs: all, or the one of that name. */
  bugs: string | undefined
  /** Keeps what failed in seeds.jsonl. */
  keep: boolean
  /** Every so many seeds one is run twice, and one is checked without a witness. */
  twiceEvery: number
  linearEvery: number
  /** Every so many seeds one is judged by the model; 0: none. */
  modelEvery: number
}

export const USAGE = `npm run sim -- [--seeds 1000] [--from 1] [--jobs 1] [--ops 1000] [--keep]
               [--twice-every 50] [--linear-every 10] [--model-every 1]
npm run sim -- --seed N [--ops 1000] [--trace [lines]]
npm run sim -- --bugs [name]`

export function optionsFrom(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      ops: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      bugs: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'twice-every': { type: 'string', default: '50' },
      'linear-every': { type: 'string', default: '10' },
      'model-every': { type: 'string', default: '1' },
    },
  })
  const [word] = positionals
  const whole = (name: keyof typeof values): number => {
    const number = Number(values[name])
    if (!Number.isSafeInteger(number) || number < 0) {
      throw new Error(`--${name} is a whole number.\n${USAGE}`)
    }
    return number
  }
  return {
    seeds: whole('seeds'),
    from: whole('from'),
    jobs: Math.max(1, whole('jobs')),
    ops: whole('ops'),
    seed: values.seed === undefined ? undefined : whole('seed'),
    trace: values.trace ? Number(word ?? 100) : undefined,
    bugs: values.bugs ? (word ?? 'all') : undefined,
    keep: values.keep,
    twiceEvery: whole('twice-every'),
    linearEvery: whole('linear-every'),
    modelEvery: whole('model-every'),
  }
}
