import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { fail, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Input } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { COORDINATES, itemsText, LOCK_OUTPUT, lockAnswer, wait } from './lock-text.ts'
import {
  pathOf,
  READS,
  TEXT_OUTPUT,
  type Tool,
  type ToolAnswer,
  type ToolContext,
  textAnswer,
  tool,
} from './tool.ts'

/** Coordination for agents: what becomes of a lock that is held, and talking about it. */

const changeInput = z.strictObject({
  lock_id: z.string(),
  to: z
    .enum(['read', 'write', 'exclusive', 'renew', 'extend', 'take_back'])
    .optional()
    .describe(
      'A level; renew: its ttl anew; extend: if recalled, once more; take_back: from your earlier session that is gone',
    ),
  hand_to: z
    .string()
    .optional()
    .describe('Instead of to: the agent, or agent:session, to give it to'),
  wait,
})

async function change(args: z.output<typeof changeInput>, context: ToolContext) {
  const { lock_id: id, to, hand_to, wait: waitS } = args
  if ((to === undefined) === (hand_to === undefined)) {
    fail('invalid_request', 'Give change_lock either to or hand_to.')
  }
  if (hand_to !== undefined) {
    return handOver(context, id, hand_to)
  }
  return CHANGES[to as Change](context, id, waitS)
}

type Change = NonNullable<z.output<typeof changeInput>['to']>

const CHANGES: {
  [To in Change]: (context: ToolContext, id: string, waitS: number) => Promise<ToolAnswer>
} = {
  read: (context, id, waitS) => changeTo('read', context, id, waitS),
  write: (context, id, waitS) => changeTo('write', context, id, waitS),
  exclusive: (context, id, waitS) => changeTo('exclusive', context, id, waitS),
  async renew({ door, workspace }, id) {
    const { lock } = (await door.call('renew_lock', { workspace, id })).value
    return textAnswer(`${id} is renewed and ends at ${lock.expires_at}.`, { lock })
  },
  async extend({ door, workspace }, id) {
    const { lock } = (await door.call('extend_recall', { workspace, id })).value
    const until = lock.recall?.deadline ?? lock.expires_at
    return textAnswer(`${id} is yours until ${until}. Finish and release it before.`, { lock })
  },
  take_back: takeBack,
}

async function changeTo(
  to: Input<'change_lock'>['to'],
  { door, workspace, signal }: ToolContext,
  id: string,
  waitS: number,
): Promise<ToolAnswer> {
  const input = { workspace, id, to, wait: waitS }
  const { value } = await door.call('change_lock', input, undefined, signal)
  return lockAnswer(value, `You keep ${id} as it is meanwhile.`)
}

async function takeBack({ door, workspace }: ToolContext, id: string) {
  const { lock } = (await door.call('handover_lock', { workspace, id })).value
  const text = `${itemsText(lock.items)} is yours again, as ${lock.id}. Read it before you write; what you had read in the earlier session does not count.`
  return textAnswer(text, { lock })
}

async function handOver({ door, workspace }: ToolContext, id: string, to: string) {
  try {
    const { lock } = (await door.call('handover_lock', { workspace, id, to })).value
    if (lock.id === id) return textAnswer(`${id} is yours already.`, { lock })
    const text = `${lock.session} holds ${itemsText(lock.items)} now, as ${lock.id}; it is not yours any more.`
    return textAnswer(text, { lock })
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'not_found') throw error
    return fail(
      'not_found',
      `There is no open session ${to}; an agent has one from its first call here on. Nothing was handed over; finish, and use release_lock.`,
    )
  }
}

const changeTool = tool({
  name: 'change_lock',
  title: 'Change Lock',
  description:
    'Make a lock of yours weaker (at once) or stronger (waits if it must) without letting go of it; renew it, extend a recall, or hand it to another agent.',
  input: changeInput,
  output: LOCK_OUTPUT,
  annotations: COORDINATES,
  run: change,
})

const askInput = z.strictObject({
  path: z.string().optional().describe('What its holder should be asked about'),
  message: z.string().min(1).max(LIMITS.intentBytes).optional(),
  ask: z.string().optional().describe('To answer instead: the question, for example A12'),
  answer: z.enum(['yield', 'estimate', 'no']).optional().describe('yield gives the lock back now'),
  estimate_s: z.number().min(0).optional().describe('Seconds you still need'),
})

async function ask(args: z.output<typeof askInput>, context: ToolContext) {
  const { path, message, ask: question, answer } = args
  const isAnswer = question !== undefined && answer !== undefined && path === undefined
  const isQuestion = path !== undefined && message !== undefined && question === undefined
  if (isAnswer) return answerAsk(context, question, answer, args)
  if (!isQuestion) {
    fail('invalid_request', 'Give ask_holder path and message, or to answer: ask and answer.')
  }
  return askAbout(context, pathOf(context, path), message)
}

async function answerAsk(
  { door, workspace }: ToolContext,
  ask: string,
  answer: 'yield' | 'estimate' | 'no',
  { message, estimate_s }: z.output<typeof askInput>,
) {
  const more = { ...optional('message', message), ...optional('estimate_s', estimate_s) }
  const { value } = await door.call('answer_ask', { workspace, ask, answer, ...more })
  return textAnswer(
    value.released ? `Answered ${ask}; the lock is given back.` : `Answered ${ask}.`,
  )
}

async function askAbout({ door, workspace }: ToolContext, path: string, message: string) {
  const { value } = await door.call('list_locks', { workspace, path })
  const { session } = (await door.call('workspace_status', { workspace })).value
  // One question to each, however many locks it has there.
  const others = new Map(value.locks.map((lock) => [lock.session, lock.id]))
  others.delete(session)
  if (others.size === 0) {
    return textAnswer(`Nobody else holds a lock on ${path}. Call acquire_lock.`, { asked: [] })
  }
  const asked = []
  for (const id of [...others.values()].slice(0, LIMITS.holdersNamed)) {
    const { ask: question, to } = (await door.call('ask_holder', { workspace, id, message })).value
    asked.push({ ask: question, lock: id, to })
  }
  const names = asked.map(
    ({ ask: question, lock, to }) => `${to.session} about ${lock} (${question})`,
  )
  return textAnswer(
    `Asked ${names.join(', ')}. The answer comes as a note with one of your next results. To wait for the lock, call acquire_lock.`,
    { asked },
  )
}

const askTool = tool({
  name: 'ask_holder',
  title: 'Ask Holder',
  description:
    'Say something to whoever holds a lock on a path, or answer such a question. It forces nothing.',
  input: askInput,
  output: TEXT_OUTPUT,
  annotations: { ...COORDINATES, idempotentHint: false },
  run: ask,
})

const draftTool = tool({
  name: 'read_draft',
  title: 'Read Draft',
  description: 'What you wanted to write when your lock was gone already.',
  input: z.strictObject({ draft: z.string().describe('For example D12') }),
  output: TEXT_OUTPUT,
  annotations: READS,
  async run({ draft }, { door, workspace }) {
    const { value, content } = await door.call('read_draft', { workspace, draft })
    const bytes = Buffer.from(content ?? [])
    const { content: blocks, structured } = textAnswer(bytes.toString('utf8'), { ...value })
    if (isUtf8(bytes)) return { content: blocks, structured }
    const note = `Note: ${draft} is not UTF-8 text, so this is not its exact bytes. Do your change again with edit_file rather than writing this back.`
    return {
      content: [...blocks, { type: 'text', text: note }],
      structured: { ...structured, lossy: true, note },
    }
  },
})

export const holdTools: readonly Tool[] = [changeTool, askTool, draftTool]
