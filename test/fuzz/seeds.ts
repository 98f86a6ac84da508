import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Seeds of rounds that once failed, one JSON object a line. */
export const SEEDS_FILE = fileURLToPath(new URL('./seeds.jsonl', import.meta.url))

export const REQUESTS_A_ROUND = 200

export interface KeptSeed {
  /** Absent: requests at every door. */
  door?: 'tools'
  seed: number
  why: string
}

export function keptSeeds(): KeptSeed[] {
  return readFileSync(SEEDS_FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KeptSeed)
}
