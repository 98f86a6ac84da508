import fc from 'fast-check'
import { mayBeAbsent } from '../../src/contract/loose-reading.ts'
import { chooseTools } from '../../src/face/mcp/tools.ts'
import { fieldValue, junk, noWait } from './values.ts'

/** One call of a tool over stdio, with its arguments in the forms that clients really send. */
export interface ToolShot {
  principal: string
  tool: string
  args: unknown
  /** The same in the form that the schema says: it must be read alike, where that is taken. */
  plain?: Record<string, unknown>
  /** Nothing else than a refusal of the input is right. */
  isRefused?: boolean
}

export const FORMS = [
  'plain',
  'null',
  'text',
  'spaced text',
  'text inside',
  'misnamed',
  'huge',
  'unicode',
  'junk',
] as const
export type Form = (typeof FORMS)[number]

const TOOLS = new Map(chooseTools('full').map((tool) => [tool.name, tool]))
export const SHAPES: ReadonlyMap<string, readonly string[]> = new Map(
  [...TOOLS].map(([name, { input }]) => [name, Object.keys(input.shape)]),
)

/** Time stands still in a round, so whatever may wait is told not to. */
const NEVER_LEFT_OUT = 'wait'

function isOptional(tool: string, field: string): boolean {
  const type = TOOLS.get(tool)?.input.shape[field]
  return type !== undefined && mayBeAbsent(type)
}

/** Puts one argument into a form. */
export function formed(
  principal: string,
  tool: string,
  args: Record<string, unknown>,
  field: string,
  form: Form,
): ToolShot {
  const shot = { principal, tool }
  const { [field]: value, ...others } = args
  const withValue = (other: unknown) => ({ ...others, [field]: other })
  const isKept = field === NEVER_LEFT_OUT
  switch (form) {
    case 'null':
      if (isKept) return { ...shot, args }
      return isOptional(tool, field)
        ? { ...shot, args: withValue(null), plain: others }
        : { ...shot, args: withValue(null), isRefused: true }
    case 'text':
    case 'spaced text': {
      if (typeof value === 'string' || value === undefined || value === null) {
        return { ...shot, args }
      }
      const text = JSON.stringify(value)
      const told = form === 'text' ? text : ` ${text}\n`
      return { ...shot, args: withValue(told), plain: args }
    }
    case 'text inside': {
      if (!Array.isArray(value)) return { ...shot, args }
      const items = value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
      return { ...shot, args: withValue(items), plain: args }
    }
    case 'misnamed':
      if (isKept) return { ...shot, args: { ...args, wiat: 1 }, isRefused: true }
      return { ...shot, args: { ...others, [`${field}_x`]: value ?? null }, isRefused: true }
    case 'huge':
      if (isKept) return { ...shot, args: withValue(1e308), isRefused: true }
      return { ...shot, args: withValue(hugeOf(value)) }
    case 'unicode':
      if (isKept) return { ...shot, args: withValue('\ud800'), isRefused: true }
      return { ...shot, args: withValue('/\u202e\u{1d54f}\u0000\ud800\uffff') }
    default:
      return { ...shot, args }
  }
}

function hugeOf(value: unknown): unknown {
  if (typeof value === 'number') return 1e308
  // Of long items fewer, so that the line stays one that is read at all.
  if (Array.isArray(value)) {
    const item: unknown = value[0] ?? 'x'
    const count = JSON.stringify(item).length > 300 ? 10 : 3000
    return Array.from({ length: count }, () => item)
  }
  return 'x'.repeat(150_000)
}

const principal = fc.constantFrom('agent-a', 'agent-a', 'agent-b', 'admin')

/** What makes something for the others to find comes more often. */
const OFTEN = ['write_file', 'append_file', 'create_directory', 'acquire_lock', 'copy_file']

const formShot = fc
  .tuple(principal, fc.constantFrom(...TOOLS.keys(), ...OFTEN, ...OFTEN))
  .chain(([who, tool]) => {
    const names = SHAPES.get(tool) ?? []
    const needed = names.filter((name) => !isOptional(tool, name) || name === NEVER_LEFT_OUT)
    const others = names.filter((name) => !needed.includes(name))
    const few = fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.subarray(others, { maxLength: Math.min(3, others.length) }) },
    )
    return few.chain((some) => {
      const values = [...needed, ...some].map((name) => [
        name,
        name === NEVER_LEFT_OUT ? fc.constant(0) : fieldValue(name),
      ])
      return fc.tuple(
        fc.constant(who),
        fc.constant(tool),
        fc.record(Object.fromEntries(values) as Record<string, fc.Arbitrary<unknown>>),
        names.length === 0 ? fc.constant('x') : fc.constantFrom(...names),
        fc.constantFrom(...FORMS),
        junk,
      )
    })
  })
  .map(([who, tool, args, field, form, odd]): ToolShot => {
    if (form === 'junk' && field !== NEVER_LEFT_OUT) {
      return { principal: who, tool, args: { ...args, [field]: odd } }
    }
    return formed(who, tool, args, field, form)
  })

/** The arguments as a whole in another form. */
const wholeShot = fc
  .tuple(formShot, fc.constantFrom('text', 'null', 'list', 'junk'), junk)
  .map(([shot, form, odd]): ToolShot => {
    const { principal: who, tool, args } = shot
    if (form === 'text') return { ...shot, args: JSON.stringify(args) }
    const mayWait = SHAPES.get(tool)?.includes(NEVER_LEFT_OUT) === true
    if (form === 'list' || mayWait) return { principal: who, tool, args: [args] }
    return { principal: who, tool, args: form === 'null' ? null : odd }
  })

const waitShot = fc
  .tuple(principal, fc.constantFrom('acquire_lock', 'change_lock', 'wait_for_lock'), noWait)
  .map(([who, tool, wait]): ToolShot => {
    const usual = { acquire_lock: { path: '/a' }, change_lock: { lock_id: 'L1', to: 'read' } }
    const args = { ticket: 'T1', ...usual[tool as 'acquire_lock'] }
    if (tool !== 'wait_for_lock') delete (args as { ticket?: string }).ticket
    return { principal: who, tool, args: { ...args, wait: wait === null ? 0 : wait } }
  })

export const toolShot: fc.Arbitrary<ToolShot> = fc.oneof(
  { weight: 20, arbitrary: formShot },
  { weight: 2, arbitrary: wholeShot },
  { weight: 1, arbitrary: waitShot },
)
