import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { ERRORS, type ErrorCode } from '../../src/contract/errors.ts'
import { parseAs } from '../../src/contract/parse.ts'
import { illFormedRefusal } from '../../src/contract/well-formed.ts'
import { chooseTools } from '../../src/face/mcp/tools.ts'
import { faultOf } from '../case/output-schemas.ts'
import { Rig } from './rig.ts'
import type { Round } from './round.ts'
import type { Reply } from './stdio-end.ts'
import { type ToolShot, toolShot } from './tool-shot.ts'

const TOOLS = new Map(chooseTools('full').map((tool) => [tool.name, tool]))
const ANSWER_MS = 10_000

/** The calls of a seed against a server that starts empty. */
export async function toolRound(seed: number, requests: number): Promise<Round> {
  const shots = fc.sample(toolShot, { numRuns: requests, seed })
  return { seed, requests, ...(await fireTools(shots)) }
}

/**
 * Each call is answered, by the catalog, as the tool's output schema says; other forms of the same
 * arguments are read alike; and a refusal changes nothing.
 */
export async function fireTools(
  shots: readonly ToolShot[],
): Promise<{ refused: number; faults: string[] }> {
  const rig = await Rig.open()
  const faults: string[] = []
  let refused = 0
  try {
    let before = await rig.fingerprint()
    for (const [index, shot] of shots.entries()) {
      const stdio = await rig.stdio(shot.principal)
      const answer = await inTime(stdio.call(shot.tool, shot.args))
      const after = await rig.fingerprint()
      const isRefused = answer === undefined || answer.error || answer.result?.isError === true
      if (isRefused) refused += 1
      const wrong = [...faultsOf(shot, answer), ...readingFaults(shot), ...rig.logged.splice(0)]
      if (isRefused && after !== before) wrong.push('a refusal changed something')
      before = after
      for (const fault of wrong) faults.push(`call ${index}, ${told(shot)}: ${fault}`)
      if (faults.length >= 5) break
    }
  } finally {
    await rig.close()
  }
  return { refused, faults }
}

function faultsOf(shot: ToolShot, answer: Reply | undefined): string[] {
  if (answer === undefined) return [`no answer within ${ANSWER_MS} ms`]
  const { error, result } = answer
  if (error !== undefined) {
    const isMessage = !isRecord(shot.args) && error.code === -32602
    return isMessage ? [] : [`the protocol's error ${error.code}: ${error.message}`]
  }
  const structured = result?.structuredContent
  const fault = faultOf(shot.tool, structured)
  const faults = fault === undefined ? [] : [`does not fit its schema: ${fault}`]
  if (result?.isError !== true) {
    return shot.isRefused === true ? [...faults, 'was done, and should be refused'] : faults
  }
  const { code, detail } = structured as { code?: ErrorCode; detail?: unknown }
  if (code === undefined || ERRORS[code] === undefined) faults.push(`no code: ${code}`)
  if (code === 'internal') faults.push(`internal: ${String(detail)}`)
  if (typeof detail !== 'string' || detail === '') faults.push(`${code} says nothing`)
  // Text that is none is refused before anything is read, and in a path as a path.
  const isIll = code === 'invalid_path' && illFormedRefusal(readArgs(shot.args))?.code === code
  if (shot.isRefused === true && code !== 'invalid_request' && !isIll) {
    faults.push(`refused as ${code}`)
  }
  return faults
}

/** What is right in the form of the schema is read alike in the other form. */
function readingFaults({ tool, args, plain }: ToolShot): string[] {
  const input = TOOLS.get(tool)?.input
  if (input === undefined || plain === undefined) return []
  const wanted = parseAs(input, JSON.parse(JSON.stringify(plain)))
  const read = parseAs(input, JSON.parse(JSON.stringify(args)))
  if (!wanted.ok) return []
  if (!read.ok) return [`is refused in this form: ${read.refusal.detail}`]
  return isDeepStrictEqual(read.input, wanted.input) ? [] : ['is read as something else']
}

async function inTime(answer: Promise<Reply>): Promise<Reply | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Arguments given as text are what the text says. */
function readArgs(args: unknown): unknown {
  if (typeof args !== 'string') return args
  try {
    return JSON.parse(args)
  } catch {
    return args
  }
}

function told(shot: ToolShot): string {
  return JSON.stringify(shot, (_, value: unknown) =>
    typeof value === 'string' && value.length > 200 ? `${value.slice(0, 200)}…` : value,
  ).slice(0, 1500)
}
