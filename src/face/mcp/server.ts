import {
  type CallToolResult,
  McpServer,
  type ServerOptions,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { CALLER_NAME } from '../../contract/caller.ts'
import type { Door, Notice } from '../../contract/door.ts'
import { type Problem, problemOf, refuse, SluiceError } from '../../contract/errors.ts'
import { parseAs } from '../../contract/parse.ts'
import type { CrossedCancels } from './crossed.ts'
import { noticeText } from './notice-text.ts'
import { asTold, refusalText } from './refusal.ts'
import type { Tool, ToolContext } from './tool.ts'
import { chooseTools, type ToolChoice } from './tools.ts'

/** One MCP server over one door. Cheap to make: over stateless HTTP there is one a request. */
export interface McpOptions {
  workspace: string
  tools: ToolChoice
  version: string
  /** Real folders of a `folder` workspace. */
  roots?: readonly string[]
  /** Links by which the client knows some of these. */
  aliases?: ReadonlyMap<string, string>
  /** Folders of the client's machine (its home, where it was started): no paths of a workspace. */
  hostFolders?: readonly string[]
  /** Logs what nobody foresaw, and gives the problem that tells no more than where to look. */
  failed: (error: unknown) => Problem
  /** Where a cancel that crossed its answer is told. */
  crossed?: CrossedCancels
  /** For tests of the protocol only: options and tools beside ours. */
  fixtures?: McpFixtures
}

export interface McpFixtures {
  options: ServerOptions
  register(server: McpServer): void
}

const INSTRUCTIONS =
  'Files shared with other agents. Paths start at "/". Before you change files that others may change too, call acquire_lock (it works on paths that do not exist yet, waits for its turn, and covers your own writes), and release_lock when done. To overwrite a file, read it first; append_file and edit_file need no lock and lose nothing. When a call is refused, its text says what to do. If several agents share this connection (subagents of one program), each passes as: "a name of its own" in every call; locks, what was read and notes are then its alone. Notes at the end of a result are for you: who waits for your locks, a recall and until when, questions of others.'

export function createMcpServer(door: Door, options: McpOptions): McpServer {
  const { fixtures } = options
  const server = new McpServer(
    { name: 'sluice', title: 'Sluice', version: options.version },
    {
      ...fixtures?.options,
      instructions: INSTRUCTIONS,
      // The list never changes while a server lives.
      capabilities: { tools: { listChanged: false }, ...fixtures?.options.capabilities },
    },
  )
  const { workspace, roots, aliases = new Map(), hostFolders = [] } = options
  const base = { door, workspace, roots, aliases, hostFolders }
  for (const tool of chooseTools(options.tools)) addTool(server, tool, base, options)
  fixtures?.register(server)
  return server
}

function addTool(
  server: McpServer,
  tool: Tool,
  base: Omit<ToolContext, 'signal'>,
  options: McpOptions,
): void {
  const { title, description, annotations } = tool
  const { inputSchema, outputSchema } = schemasOf(tool)
  server.registerTool(
    tool.name,
    { title, description, annotations, inputSchema, outputSchema },
    async (args, context) => {
      const { id, signal } = context.mcpReq
      return run(tool, args, { ...base, signal }, options, id)
    },
  )
}

async function run(
  tool: Tool,
  args: unknown,
  context: ToolContext,
  options: McpOptions,
  request: string | number,
): Promise<CallToolResult> {
  const { as, own } = withoutCaller(args)
  const isNamed = as !== undefined && as !== null
  if (isNamed && (typeof as !== 'string' || !CALLER_NAME.test(as))) {
    const fields = [{ field: 'as', fault: '1 to 64 of A–Z a–z 0–9 . _ -' }]
    const detail = 'as: a name of your own, 1 to 64 of A–Z a–z 0–9 . _ -'
    return refused(tool, problemOf(refuse('invalid_request', detail, { fields })))
  }
  const by = isNamed ? { ...context, door: context.door.as(as) } : context
  const result = await answer(tool, own, by, options)
  options.crossed?.answered(request, by.door, by.workspace, result.structuredContent)
  return withNotices(result, by)
}

/** `as` is an argument of every tool: who of those that share this connection calls (guard §1). */
function withoutCaller(args: unknown): { as?: unknown; own: unknown } {
  if (typeof args !== 'object' || args === null || !Object.hasOwn(args, 'as')) return { own: args }
  const { as, ...own } = args as { as?: unknown }
  return { as, own }
}

async function answer(
  tool: Tool,
  args: unknown,
  context: ToolContext,
  options: McpOptions,
): Promise<CallToolResult> {
  const parsed = parseAs(tool.input, args)
  if (!parsed.ok) return refused(tool, problemOf(parsed.refusal))
  try {
    const { content, structured } = await tool.run(parsed.input, context)
    return { content, structuredContent: structured }
  } catch (error) {
    if (error instanceof SluiceError) return refused(tool, error.problem)
    return refused(tool, options.failed(error))
  }
}

/** What the agent should know besides (who waits for it, a recall and until when) comes along with
 * whatever it asked for: it never has to poll. */
function withNotices(result: CallToolResult, { door, workspace }: ToolContext): CallToolResult {
  const shown = result.structuredContent as Shown | undefined
  const notices = door.takeNotices(workspace).filter((notice) => !isSaid(notice, shown))
  if (notices.length === 0) return result
  const text = notices.map((notice) => `Note: ${noticeText(notice)}`).join('\n')
  return {
    ...result,
    content: [...result.content, { type: 'text', text }],
    structuredContent: { ...shown, messages: [...(shown?.messages ?? []), ...notices] },
  }
}

interface Shown {
  messages?: readonly Notice[]
  code?: string
  lock?: unknown
}

/** A status shows its messages itself, and a refusal for want of a lock says what became of it. */
function isSaid({ at, text, kind, lock }: Notice, shown: Shown = {}): boolean {
  if (kind === 'granted' && (shown.lock as { id?: unknown } | undefined)?.id === lock) return true
  if (kind === 'lost' && shown.code === 'lock_lost' && shown.lock === lock) return true
  return shown.messages?.some((one) => one.at === at && one.text === text) === true
}

function refused(tool: Tool, raw: Problem): CallToolResult {
  const problem = asTold(raw)
  const text = refusalText(problem)
  const shape = tool.refused?.(text, problem) ?? { content: text }
  return {
    isError: true,
    content: [{ type: 'text', text }],
    structuredContent: { ...problem, ...shape },
  }
}

type Schemas = { inputSchema: StandardSchemaWithJSON; outputSchema: StandardSchemaWithJSON }
const schemas = new WeakMap<Tool, Schemas>()

/**
 * The schemas as the protocol shows them, made once. The SDK is told that everything is valid: it
 * would refuse in its own words, and a refusal here is a problem like any other.
 */
function schemasOf(tool: Tool): Schemas {
  const known = schemas.get(tool)
  if (known !== undefined) return known
  const made = {
    inputSchema: shownSchema(withCaller(tool.name, inputJson(tool.input))),
    outputSchema: shownSchema(tool.output),
  }
  schemas.set(tool, made)
  return made
}

function shownSchema(json: Record<string, unknown>): StandardSchemaWithJSON {
  return {
    '~standard': {
      version: 1,
      vendor: 'sluice',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => json, output: () => json },
    },
  }
}

/** Every tool takes `as`; it is shown where it matters, because every byte is read by a model. */
function withCaller(name: string, json: Record<string, unknown>): Record<string, unknown> {
  if (!SHOWS_CALLER.has(name)) return json
  const properties = json.properties as Record<string, unknown>
  return { ...json, properties: { ...properties, as: { type: 'string' } } }
}

const SHOWS_CALLER: ReadonlySet<string> = new Set([
  'read_text_file',
  'write_file',
  'edit_file',
  'append_file',
  'acquire_lock',
  'release_lock',
])

/** What is over such a bound is refused in words. */
const BOUNDS = ['minLength', 'maxLength', 'minItems', 'maxItems'] as const

/**
 * Says nothing that a client knows anyway, because every byte of it is read by a model. An argument
 * that is none is refused by its name, so that need not be said before.
 */
function inputJson(input: z.ZodObject): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(input, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
      if ((jsonSchema.minimum ?? 2) <= 1) delete jsonSchema.minimum
      for (const bound of BOUNDS) delete jsonSchema[bound]
    },
  })
  return json
}
