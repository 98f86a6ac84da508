import { appendFileSync, readFileSync } from 'node:fs'
import type { Failed } from './batch.ts'

/** A seed that failed once. It stays for ever, and is run with every test. */
export interface KeptSeed {
  seed: number
  ops: number
  /** The commit it failed at. */
  commit: string
  what: string
}

const FILE = new URL('seeds.jsonl', import.meta.url)

export function keptSeeds(): KeptSeed[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KeptSeed)
}

export function keep(failed: readonly Failed[], commit: string): void {
  const known = new Set(keptSeeds().map(({ seed, ops }) => `${seed} ${ops}`))
  for (const { seed, ops, rule, what } of failed) {
    if (known.has(`${seed} ${ops}`)) continue
    const told = what.startsWith(rule) ? what : `${rule}: ${what}`
    const line: KeptSeed = { seed, ops, commit, what: told.slice(0, 200) }
    appendFileSync(FILE, `${JSON.stringify(line)}\n`)
  }
}
