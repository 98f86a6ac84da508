import { z } from 'zod'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { foldPath } from '../../contract/path.ts'
import { factsOf } from './entries.ts'
import { newPathOf } from './host-path.ts'
import { COORDINATES, LOCK_OUTPUT, lockAnswer, wait } from './lock-text.ts'
import {
  locksOf,
  pathOf,
  TEXT_OUTPUT,
  type Tool,
  type ToolAnswer,
  type ToolContext,
  textAnswer,
  tool,
} from './tool.ts'
import { listLocksTool, statusTool } from './view-tools.ts'

/** Coordination for agents: getting locks, giving them back. */
const acquireInput = z.strictObject({
  path: z.string().optional().describe('A file or folder; it need not exist yet'),
  paths: z
    .array(z.string())
    .min(1)
    .max(LIMITS.lockItems)
    .optional()
    .describe('Several, all or none'),
  type: z
    .enum(['read', 'write', 'exclusive'])
    .default('write')
    .describe(
      'write: only you write, others still read; exclusive: only you; read: notice changes',
    ),
  stable: z.boolean().optional().describe('With read: nobody writes meanwhile'),
  ttl: z
    .number()
    .min(1)
    .max(86_400)
    .optional()
    .describe('Seconds it lives without you; default 300'),
  wait,
  intent: z
    .string()
    .max(LIMITS.intentBytes)
    .optional()
    .describe('What for, in a few words; others see it'),
  scope: z.enum(['file', 'subtree']).optional(),
  lines: z
    .strictObject({ from: z.int().min(1), to: z.int().optional(), version: z.int().optional() })
    .optional()
    .describe('Only these lines of path; version: the one you read, default: now'),
  range: z
    .strictObject({ start: z.int().min(0), end: z.int().optional() })
    .optional()
    .describe('Only these bytes of path'),
  any: z.int().min(1).optional().describe('So many of paths will do, whichever are free'),
  priority: z.int().min(0).max(9).optional(),
})

async function acquire(args: z.output<typeof acquireInput>, context: ToolContext) {
  const { path, paths, type, ...rest } = args
  if ((path === undefined) === (paths === undefined)) {
    fail('invalid_request', 'Give either path or paths to acquire_lock.')
  }
  const { scope, lines, range, any, stable, ttl, intent, priority, wait: waitS } = rest
  if (paths !== undefined && (lines !== undefined || range !== undefined)) {
    fail('invalid_request', 'lines and range are of one file: give path, not paths.')
  }
  const part =
    path === undefined || lines === undefined
      ? optional('range', range)
      : { lines: await linesOf(context, pathOf(context, path), lines), ...optional('range', range) }
  const wanted = paths ?? [path ?? '']
  const items = await Promise.all(
    wanted.map(async (one) => ({
      path: await newPathOf(context, one),
      ...optional('scope', scope),
      ...part,
    })),
  )
  const terms = {
    ...optional('any', any),
    ...optional('stable', stable),
    ...optional('ttl', ttl),
    ...optional('intent', intent),
    ...optional('priority', priority),
  }
  const { workspace, door, signal } = context
  const input = { workspace, items, level: type, wait: waitS, ...terms }
  const { value } = await door.call('acquire_lock', input, undefined, signal)
  return lockAnswer(value)
}

type Lines = NonNullable<z.output<typeof acquireInput>['lines']>

async function linesOf(context: ToolContext, path: string, { from, to, version }: Lines) {
  const span = { from, ...optional('to', to) }
  if (version !== undefined) return { ...span, version }
  const entry = await factsOf(context, path)
  if (entry.kind === 'folder') fail('is_folder', `${path} is a folder and has no lines.`, { path })
  return { ...span, version: entry.version }
}

const acquireTool = tool({
  name: 'acquire_lock',
  title: 'Acquire Lock',
  description:
    'Lock files before changing them, so that nobody else does meanwhile; then read them. Waits for whoever holds them; if that takes too long, answers with a ticket for wait_for_lock.',
  input: acquireInput,
  output: LOCK_OUTPUT,
  annotations: COORDINATES,
  run: acquire,
})

const waitTool = tool({
  name: 'wait_for_lock',
  title: 'Wait for Lock',
  description: 'Go on waiting with the ticket of a queued acquire_lock.',
  input: z.strictObject({ ticket: z.string(), wait }),
  output: LOCK_OUTPUT,
  annotations: COORDINATES,
  async run({ ticket, wait }, { door, workspace, signal }) {
    const input = { workspace, ticket, wait }
    return lockAnswer((await door.call('wait_for_lock', input, undefined, signal)).value)
  },
})

const releaseInput = z.strictObject({
  path: z.string().optional(),
  lock_id: z.string().optional(),
  lock_token: z.string().optional(),
  all: z.boolean().optional().describe('All your locks and places in queues'),
})

async function release(args: z.output<typeof releaseInput>, context: ToolContext) {
  const { door, workspace } = context
  const given = [args.path, args.lock_id, args.all || undefined].filter((one) => one !== undefined)
  if (given.length !== 1) fail('invalid_request', 'Give release_lock one of path, lock_id or all.')
  if (args.all) {
    const { released, left } = (await door.call('release_all_locks', { workspace })).value
    return textAnswer(`Locks released: ${released}. Queues left: ${left}.`, { released, left })
  }
  if (args.lock_id !== undefined) {
    const { released } = (
      await door.call('release_lock', {
        workspace,
        id: args.lock_id,
        ...locksOf(args.lock_token),
      })
    ).value
    return released
      ? textAnswer(`Released ${args.lock_id}.`, { released: [args.lock_id] })
      : textAnswer(
          `${args.lock_id} was not held: it has ended already, or never was. Nothing to release.`,
          { released: [] },
        )
  }
  return releasePath(context, pathOf(context, args.path ?? ''))
}

/** Of what is one's own, names that differ in case alone are meant alike. */
function isSameName(a: string, b: string): boolean {
  return foldPath(a, true) === foldPath(b, true)
}

async function releasePath(context: ToolContext, path: string): Promise<ToolAnswer> {
  const { door, workspace } = context
  const { locks, tickets } = (await door.call('workspace_status', { workspace })).value
  const held = locks.filter((lock) => lock.items.some((item) => isSameName(item.path, path)))
  const waiting = tickets.filter((one) => one.paths.some((other) => isSameName(other, path)))
  for (const { id } of held) await door.call('release_lock', { workspace, id })
  for (const { ticket } of waiting) await door.call('leave_queue', { workspace, ticket })
  const released = held.map(({ id }) => id)
  const left = waiting.map(({ ticket }) => ticket)
  const done = [
    ...released.map((id) => `Released ${id} on ${path}.`),
    ...left.map((ticket) => `Left the queue for ${path} (${ticket}).`),
  ]
  const text = done.length > 0 ? done.join(' ') : `You hold no lock on ${path}; nothing to release.`
  return textAnswer(text, { released, left })
}

const releaseTool = tool({
  name: 'release_lock',
  title: 'Release Lock',
  description:
    'Give back your locks: by path, by lock_id, or all. Whoever waits gets them at once.',
  input: releaseInput,
  output: TEXT_OUTPUT,
  annotations: COORDINATES,
  run: release,
})

export const lockTools: readonly Tool[] = [
  acquireTool,
  releaseTool,
  waitTool,
  listLocksTool,
  statusTool,
]
