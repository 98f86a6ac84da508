import fc from 'fast-check'
import { fire } from './fire.ts'
import { Rig } from './rig.ts'
import { type Shot, shot } from './shot.ts'

export interface Round {
  seed: number
  requests: number
  refused: number
  faults: string[]
}

/** The same seed makes the same requests in the same order against a server that starts empty. */
export async function fuzzRound(seed: number, requests: number): Promise<Round> {
  const shots = fc.sample(shot, { numRuns: requests, seed })
  const rig = await Rig.open()
  const faults: string[] = []
  let refused = 0
  try {
    let before = await rig.fingerprint()
    for (const [index, one] of shots.entries()) {
      const outcome = await judged(rig, one)
      if (outcome.isRefused) refused += 1
      const after = await rig.fingerprint()
      if (outcome.isRefused && after !== before) outcome.faults.push('a refusal changed something')
      outcome.faults.push(...rig.logged.splice(0))
      before = after
      for (const fault of outcome.faults) faults.push(`request ${index}, ${told(one)}: ${fault}`)
      if (faults.length >= 5) break
    }
  } finally {
    await rig.close()
  }
  return { seed, requests, refused, faults }
}

async function judged(rig: Rig, one: Shot) {
  try {
    return await fire(rig, one)
  } catch (error) {
    return { isRefused: false, faults: [String((error as Error).stack)] }
  }
}

function told(one: Shot): string {
  return JSON.stringify(one, (_, value: unknown) =>
    typeof value === 'string' && value.length > 300 ? `${value.slice(0, 300)}…` : value,
  )
}
