import { z } from 'zod'
import { type Refusal, refuse } from './errors.ts'
import { type ExactReader, exactReader } from './exact-reading.ts'
import { readLoosely, unwrapped } from './loose-reading.ts'
import { nearName } from './near-name.ts'
import { OPERATIONS, type OperationName, type Parsed } from './operations.ts'
import { illFormedRefusal } from './well-formed.ts'

export type ParseResult<T> = { ok: true; input: T } | { ok: false; refusal: Refusal }

/** Checks an input against the table: every door calls this, so all refuse alike, field by field. */
export function parseInput<N extends OperationName>(name: N, raw: unknown): ParseResult<Parsed<N>> {
  return parseAs(OPERATIONS[name].input as z.ZodType, raw) as ParseResult<Parsed<N>>
}

/** The same for what is not in the table: arguments of tools, queries of streams. */
export function parseAs<T extends z.ZodType>(type: T, raw: unknown): ParseResult<z.output<T>> {
  const given = raw ?? {}
  // Nearly all calls are right to the letter; only others are read once more.
  const read = readerOf(type)(given)
  if (read !== undefined) return { ok: true, input: read as z.output<T> }
  const ill = illFormedRefusal(given)
  if (ill !== undefined) return { ok: false, refusal: ill }
  const exact = type.safeParse(given)
  if (exact.success) return { ok: true, input: exact.data }
  const loose = type.safeParse(readLoosely(type, given))
  if (loose.success) return { ok: true, input: loose.data }
  return { ok: false, refusal: refusalOf(loose.error, type) }
}

const readers = new WeakMap<z.ZodType, ExactReader>()

function readerOf(type: z.ZodType): ExactReader {
  const known = readers.get(type)
  if (known !== undefined) return known
  const reader = exactReader(type)
  readers.set(type, reader)
  return reader
}

interface Fault {
  field: string
  fault: string
}

/** What a failed check says, field by field. */
function refusalOf(error: z.ZodError, type: z.ZodType): Refusal {
  const faults = error.issues.flatMap((issue) => faultsOf(issue, type)).slice(0, FAULTS_TOLD)
  const isPath = error.issues.every(
    (issue) => issue.code === 'custom' && issue.params?.invalidPath === true,
  )
  const detail = faults.map(({ field, fault }) => `${field}: ${fault}`).join('; ')
  return refuse(isPath ? 'invalid_path' : 'invalid_request', detail, { fields: faults })
}

const FAULTS_TOLD = 20

function faultsOf(issue: z.core.$ZodIssue, type: z.ZodType): Fault[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ field: nameOf(issue.path) || '(whole request)', fault: issue.message }]
  }
  const known = namesAt(type, issue.path)
  return issue.keys.map((key) => {
    return { field: nameOf([...issue.path, key]), fault: `unknown argument${helpFor(key, known)}` }
  })
}

function helpFor(key: string, known: readonly string[] | undefined): string {
  if (known === undefined) return ''
  if (known.length === 0) return '; it takes none'
  const near = nearName(key, known)
  return near === undefined ? `; it takes ${known.join(', ')}` : `; did you mean "${near}"?`
}

/** What a client wrote is told back, but not at any length. */
function nameOf(path: readonly PropertyKey[]): string {
  const name = path.map(String).join('.')
  return name.length > NAME_TOLD ? `${name.slice(0, NAME_TOLD)}…`.toWellFormed() : name
}

const NAME_TOLD = 100

/** The names of the object that stands at a place of the input, where the schema alone says it. */
function namesAt(type: z.ZodType, path: readonly PropertyKey[]): string[] | undefined {
  let at: z.ZodType | undefined = unwrapped(type)
  for (const step of path) {
    if (at instanceof z.ZodArray) at = at.element as z.ZodType
    else if (at instanceof z.ZodObject) at = at.shape[String(step)] as z.ZodType | undefined
    else at = undefined
    if (at === undefined) return undefined
    at = unwrapped(at)
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : undefined
}
