import { z } from 'zod'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { COORDINATES, LOCK_OUTPUT, lockAnswer, wait } from './lock-text.ts'
import { pathOf, TEXT_OUTPUT, type Tool, type ToolContext, textAnswer, tool } from './tool.ts'

/** Coordination for agents: what becomes of a lock that is held, and talking about it. */

const changeInput = z.strictObject({
  lock_id: z.string(),
  to: z
    .enum(['read', 'write', 'exclusive', 'renew', 'extend'])
    .optional()
    .describe('A level; renew: its full ttl anew; extend: if recalled, the same time once more'),
  hand_to: z
    .string()
    .optional()
    .describe('Instead of to: the agent, or agent:session, to give it to'),
  wait,
})

async function change(args: z.output<typeof changeInput>, context: ToolContext) {
  const { lock_id: id, to, hand_to, wait: waitS } = args
  const { door, workspace, signal } = context
  if ((to === undefined) === (hand_to === undefined)) {
    fail('invalid_request', 'Give change_lock either to or hand_to.')
  }
  if (hand_to !== undefined) {
    const input = { workspace, id, to: hand_to }
    const { lock } = (await door.call('handover_lock', input)).value
    return textAnswer(`${lock.session} has it now, as ${lock.id}. You must not write under it.`, {
      lock,
    })
  }
  if (to === 'renew') {
    const { lock } = (await door.call('renew_lock', { workspace, id })).value
    return textAnswer(`${id} ends at ${lock.expires_at} now.`, { lock })
  }
  if (to === 'extend') {
    const { lock } = (await door.call('extend_recall', { workspace, id })).value
    const until = lock.recall?.deadline ?? lock.expires_at
    return textAnswer(`${id} is yours until ${until}. Finish and release it before.`, { lock })
  }
  const input = { workspace, id, to: to as 'read', wait: waitS }
  return lockAnswer((await door.call('change_lock', input, undefined, signal)).value)
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
  const others = value.locks.filter((lock) => lock.session !== session)
  if (others.length === 0) {
    return textAnswer(`Nobody else holds a lock on ${path}. Call acquire_lock.`, { asked: [] })
  }
  const asked = []
  for (const { id } of others.slice(0, LIMITS.holdersNamed)) {
    const { ask: question, to } = (await door.call('ask_holder', { workspace, id, message })).value
    asked.push({ ask: question, lock: id, to })
  }
  const names = asked.map(({ ask: question, to }) => `${to.session} (${question})`).join(', ')
  return textAnswer(
    `Asked ${names}. The answer comes as a note with one of your next results; acquire_lock waits meanwhile.`,
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

export const holdTools: readonly Tool[] = [changeTool, askTool]
