import { z } from 'zod'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { itemsText, levelText } from './lock-text.ts'
import { noticeText, stillConcerns } from './notice-text.ts'
import { pathOf, READS, TEXT_OUTPUT, textAnswer, tool } from './tool.ts'

/** Coordination for agents: seeing who has which lock, who waits behind whom, what one was told. */

const LOCKS_SHOWN = 100

export const listLocksTool = tool({
  name: 'list_locks',
  title: 'List Locks',
  description: 'Who holds or waits for which locks, and what for; of all paths or around one.',
  input: z.strictObject({
    path: z.string().optional(),
    limit: z.int().min(1).max(LIMITS.listLimit).default(LOCKS_SHOWN),
    cursor: z.string().optional(),
  }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run({ path, limit, cursor }, context) {
    const place = optional('path', path === undefined ? undefined : pathOf(context, path))
    const input = { workspace: context.workspace, limit, ...place, ...optional('cursor', cursor) }
    const { value } = await context.door.call('list_locks', input)
    const lines = [
      ...value.locks.map(({ id, level, items, owner, expires_at, intent, recall }) => {
        const why = intent === undefined ? '' : ` for "${intent}"`
        const recalled = recall === undefined ? '' : `, recalled: ends at ${recall.deadline}`
        return `${id}: ${owner} holds ${levelText(level, items)} on ${itemsText(items)}${why} until ${expires_at}${recalled}`
      }),
      ...value.waiting.map(waitingText),
      ...value.closed.map(
        ({ path, agent, closed_until }) =>
          `${path} stays closed until ${closed_until}: ${agent} lost its lock`,
      ),
    ]
    if (value.cursor !== undefined) {
      lines.push(
        `There are more: list_locks with cursor "${value.cursor}" goes on, or ask for a path.`,
      )
    }
    return textAnswer(lines.join('\n') || 'Nobody holds or waits for a lock.', { ...value })
  },
})

type Waiting = Output<'list_locks'>['waiting'][number]

function waitingText(waiting: Waiting): string {
  const { ticket, agent, level, paths, any, position, waited_s, blocked_by } = waiting
  const behind = blocked_by
    .map(({ agent, lock, ticket, closed_until: until }) => {
      const what = `${agent}'s ${lock ?? ticket}`
      return until === undefined ? what : `${what}, lost and closed until ${until}`
    })
    .join(', ')
  const by = behind === '' ? '' : `, behind ${behind}`
  const what = any === undefined ? '' : `${any} of `
  return `${ticket}: ${agent} waits for ${level} on ${what}${paths.join(', ')} (number ${position}, ${Math.round(waited_s)} s${by})`
}

export const statusTool = tool({
  name: 'workspace_status',
  title: 'Workspace Status',
  description:
    'Who you are here, your locks, places in queues, messages for you, rights, and how busy it is.',
  input: z.strictObject({}),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run(_args, { door, workspace }) {
    const { value } = await door.call('workspace_status', { workspace })
    const locks = value.locks.map(
      ({ id, level, items, expires_at, recall }) =>
        `${id} (${levelText(level, items)} on ${itemsText(items)} until ${expires_at}${recall === undefined ? '' : `, recalled: give it back by ${recall.deadline}`})`,
    )
    const tickets = value.tickets.map(
      ({ ticket, paths, position }) => `${ticket} (${paths.join(', ')}, number ${position})`,
    )
    const lines = [
      `You are ${value.agent} (${value.role}), session ${value.session}, in workspace ${value.workspace} at revision ${value.revision}.`,
      `You hold: ${locks.join('; ') || 'no locks'}.`,
      `You wait with: ${tickets.join('; ') || 'no tickets'}.`,
      ...value.messages
        .filter((notice) => stillConcerns(notice, value.locks))
        .map((notice) => `Message of ${notice.at}: ${noticeText(notice)}`),
      ...value.drafts.map(
        ({ draft, path, size, until }) =>
          `Draft ${draft}: your write to ${path} (${size} bytes) that came after its lock was gone; read_draft shows it until ${until}.`,
      ),
      `Locks held by all: ${value.totals.locks}; waiting: ${value.totals.waiting}.`,
    ]
    return textAnswer(lines.join('\n'), { ...value })
  },
})
