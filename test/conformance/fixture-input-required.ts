import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from './fixture-tools.ts'

/** Tools that ask the client something by their result, as 2026-07-28 does it. */
export const stateCodec = createRequestStateCodec<Record<string, unknown>>({
  key: crypto.getRandomValues(new Uint8Array(32)),
})

type Handler = (context: ServerContext) => Promise<CallToolResult | InputRequiredResult>

function add(server: McpServer, name: string, handler: Handler): void {
  const inputSchema = z.object({})
  const description = `Needs input of the client: ${name}`
  server.registerTool(name, { description, inputSchema }, (_args, context) => handler(context))
}

function askText(message: string, field: string) {
  const properties = { [field]: { type: 'string' as const } }
  const requestedSchema = { type: 'object' as const, properties, required: [field] }
  return inputRequired.elicit({ message, requestedSchema })
}

function askConfirmation() {
  const properties = { ok: { type: 'boolean' as const } }
  const requestedSchema = { type: 'object' as const, properties, required: ['ok'] }
  return inputRequired.elicit({ message: 'Please confirm', requestedSchema })
}

function askModel(prompt: string) {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens: 100,
  })
}

function given({ mcpReq }: ServerContext, key: string, field: string): string | undefined {
  const value = acceptedContent<Record<string, unknown>>(mcpReq.inputResponses, key)?.[field]
  return typeof value === 'string' ? value : undefined
}

function answerOf({ mcpReq }: ServerContext, key: string) {
  return mcpReq.inputResponses?.[key] as
    | { content?: { text?: string }; roots?: { uri?: string }[] }
    | undefined
}

export function registerInputTools(server: McpServer): void {
  add(server, 'test_missing_capability', async (context) => {
    if (answerOf(context, 'llm_answer') !== undefined) return text('done')
    return inputRequired({ inputRequests: { llm_answer: askModel('Reply with: pong') } })
  })
  add(server, 'test_input_required_result_elicitation', async (context) => {
    const name = given(context, 'user_name', 'name')
    if (name !== undefined) return text(`Hello, ${name}!`)
    return inputRequired({ inputRequests: { user_name: askText('What is your name?', 'name') } })
  })
  add(server, 'test_input_required_result_sampling', async (context) => {
    const answer = answerOf(context, 'capital_question')
    if (answer !== undefined) return text(`Sampling response: ${answer.content?.text}`)
    const question = askModel('What is the capital of France?')
    return inputRequired({ inputRequests: { capital_question: question } })
  })
  add(server, 'test_input_required_result_list_roots', async (context) => {
    const roots = answerOf(context, 'client_roots')?.roots
    if (Array.isArray(roots)) return text(`Roots: ${roots.map((root) => root.uri).join(', ')}`)
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })
  add(server, 'test_input_required_result_capabilities', byCapabilities)
}

async function byCapabilities({ mcpReq }: ServerContext) {
  if (mcpReq.inputResponses !== undefined) return text('fulfilled')
  const envelope = mcpReq.envelope as Record<string, ClientCapabilities | undefined> | undefined
  const declared = envelope?.[CLIENT_CAPABILITIES_META_KEY]
  const inputRequests: InputRequests = {}
  if (declared?.elicitation) inputRequests.user_name = askText('What is your name?', 'name')
  if (declared?.sampling) inputRequests.greeting = askModel('Generate a short greeting')
  if (declared?.roots) inputRequests.client_roots = inputRequired.listRoots()
  if (Object.keys(inputRequests).length === 0) return text('nothing can be asked')
  return inputRequired({ inputRequests })
}

export function registerStatefulInputTools(server: McpServer): void {
  const confirmed = (context: ServerContext) =>
    acceptedContent(context.mcpReq.inputResponses, 'confirm') !== undefined &&
    context.mcpReq.requestState() !== undefined
  const confirming = async (tool: string) =>
    inputRequired({
      inputRequests: { confirm: askConfirmation() },
      requestState: await stateCodec.mint({ tool, nonce: crypto.randomUUID() }),
    })
  add(server, 'test_input_required_result_request_state', async (context) =>
    confirmed(context) ? text('state-ok: verified and confirmed') : confirming('request_state'),
  )
  add(server, 'test_input_required_result_tampered_state', async (context) =>
    confirmed(context) ? text('integrity-ok: verified') : confirming('tampered_state'),
  )
  add(server, 'test_input_required_result_multiple_inputs', severalInputs)
  add(server, 'test_input_required_result_multi_round', severalRounds)
}

async function severalInputs(context: ServerContext) {
  const name = given(context, 'user_name', 'name')
  const greeting = answerOf(context, 'greeting')?.content?.text
  const roots = answerOf(context, 'client_roots')?.roots
  if (name !== undefined && greeting !== undefined && Array.isArray(roots)) {
    return text(`${greeting} ${name}: ${roots.length} roots`)
  }
  return inputRequired({
    inputRequests: {
      user_name: askText('What is your name?', 'name'),
      greeting: askModel('Generate a greeting'),
      client_roots: inputRequired.listRoots(),
    },
    requestState: await stateCodec.mint({ tool: 'multiple_inputs', nonce: crypto.randomUUID() }),
  })
}

async function severalRounds(context: ServerContext) {
  const state = context.mcpReq.requestState<Record<string, unknown>>()
  const round = state?.tool === 'multi_round' ? Number(state.round) : 0
  if (round === 2) {
    return text(`${String(state?.name)} likes ${given(context, 'step2', 'color') ?? 'unknown'}`)
  }
  const name = given(context, 'step1', 'name') ?? 'unknown'
  const step =
    round === 0
      ? { step1: askText('Step 1: What is your name?', 'name') }
      : { step2: askText('Step 2: What is your favorite color?', 'color') }
  const next = { tool: 'multi_round', round: round + 1, name, nonce: crypto.randomUUID() }
  return inputRequired({ inputRequests: step, requestState: await stateCodec.mint(next) })
}

export { askText, given }
