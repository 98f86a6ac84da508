import { z } from 'zod'
import { fail, SluiceError } from '../../contract/errors.ts'
import { factsOf } from './entries.ts'
import { newPathOf } from './host-path.ts'
import {
  type Annotations,
  ifVersion,
  ifVersionOf,
  locksOf,
  lockToken,
  pathOf,
  TEXT_OUTPUT,
  type Tool,
  type ToolContext,
  textAnswer,
  tool,
  VERSIONED_OUTPUT,
} from './tool.ts'

/** The official server's tools that change files, and the three that its users miss. */
const path = z.string()

function changes(hints: { idempotent: boolean; destructive?: boolean }): Annotations {
  return {
    readOnlyHint: false,
    idempotentHint: hints.idempotent,
    destructiveHint: hints.destructive ?? true,
    openWorldHint: false,
  }
}

/** As the official server does: as many backticks as it takes to fence the diff. */
function fenced(diff: string): string {
  let fence = '```'
  while (diff.includes(fence)) fence += '`'
  return `${fence}diff\n${diff}${fence}\n\n`
}

interface Wrote {
  version: number
  unchanged?: boolean | undefined
}

/** What was done, unless it came to nothing. */
function sayOf({ version, unchanged }: Wrote, done: string): string {
  if (unchanged !== true) return done
  return `${done}. Nothing changed: it held just that already, and stays at version ${version}.`
}

function factsOfWrite({ version, unchanged }: Wrote): Record<string, unknown> {
  return { version, ...(unchanged === true ? { unchanged } : {}) }
}

async function makeFolder(context: ToolContext, path: string): Promise<void> {
  const { door, workspace } = context
  try {
    await door.call('commit', { workspace, changes: [{ op: 'make_folder', path }] })
  } catch (error) {
    const isThere = error instanceof SluiceError && error.code === 'already_exists'
    if (!isThere || (await factsOf(context, path)).kind !== 'folder') throw error
  }
}

const writeTool = tool({
  name: 'write_file',
  title: 'Write File',
  description:
    'Create a file, or overwrite one that you have read. Missing folders are made. If somebody changed the file since you read it, nothing is written and you are told.',
  input: z.strictObject({
    path,
    content: z.string(),
    lock_token: lockToken,
    if_version: ifVersion,
  }),
  output: VERSIONED_OUTPUT,
  annotations: changes({ idempotent: true }),
  async run(args, context) {
    const { door, workspace } = context
    const path = await newPathOf(context, args.path)
    const conditions = { ...locksOf(args.lock_token), ...ifVersionOf(args.if_version) }
    const bytes = Buffer.from(args.content, 'utf8')
    const { value } = await door.call('write_file', { workspace, path, ...conditions }, bytes)
    return textAnswer(sayOf(value, `Successfully wrote to ${args.path}`), factsOfWrite(value))
  },
})

const editTool = tool({
  name: 'edit_file',
  title: 'Edit File',
  description:
    'Replace pieces of text in the newest version of a file; each oldText must stand there exactly once. Safe while others edit elsewhere in it. Returns a diff.',
  input: z.strictObject({
    path,
    edits: z.array(
      z.strictObject({
        oldText: z.string().describe('Text to search for - must match exactly'),
        newText: z.string().describe('Text to replace with'),
      }),
    ),
    dryRun: z.boolean().default(false).describe('Preview changes using git-style diff format'),
    lock_token: lockToken,
  }),
  output: VERSIONED_OUTPUT,
  annotations: changes({ idempotent: false }),
  async run(args, context) {
    const { value } = await context.door.call('patch_file', {
      workspace: context.workspace,
      path: pathOf(context, args.path),
      edits: args.edits,
      dry_run: args.dryRun,
      ...locksOf(args.lock_token),
    })
    return textAnswer(
      value.unchanged === true ? sayOf(value, `Edited ${args.path}`) : fenced(value.diff ?? ''),
      factsOfWrite(value),
    )
  },
})

const appendTool = tool({
  name: 'append_file',
  title: 'Append File',
  description:
    'Add text to the end of a file, making it if there is none. Nothing is lost with any number of writers; needs no reading.',
  input: z.strictObject({ path, content: z.string(), lock_token: lockToken }),
  output: VERSIONED_OUTPUT,
  annotations: changes({ idempotent: false, destructive: false }),
  async run(args, context) {
    const { value } = await context.door.call('patch_file', {
      workspace: context.workspace,
      path: await newPathOf(context, args.path),
      append: args.content,
      ...locksOf(args.lock_token),
    })
    return textAnswer(sayOf(value, `Successfully appended to ${args.path}`), factsOfWrite(value))
  },
})

const createFolderTool = tool({
  name: 'create_directory',
  title: 'Create Directory',
  description: 'Make a folder, and those above it that are missing. Fine if it is there already.',
  input: z.strictObject({ path }),
  output: TEXT_OUTPUT,
  annotations: changes({ idempotent: true, destructive: false }),
  async run(args, context) {
    const path = pathOf(context, args.path)
    if (path.lastIndexOf('/') > 0) await newPathOf(context, args.path)
    if (path !== '/') await makeFolder(context, path)
    return textAnswer(`Successfully created directory ${args.path}`)
  },
})

const sourceAndDestination = z.strictObject({
  source: z.string(),
  destination: z.string(),
  lock_token: lockToken,
})

function transfer(op: 'move' | 'copy', done: string) {
  return async (args: z.output<typeof sourceAndDestination>, context: ToolContext) => {
    const path = pathOf(context, args.source)
    const to = await newPathOf(context, args.destination)
    if (path === to) fail('already_exists', `${to} is the source itself; choose another name.`)
    await context.door.call('commit', {
      workspace: context.workspace,
      changes: [{ op, path, to }],
      ...locksOf(args.lock_token),
    })
    return textAnswer(`Successfully ${done} ${args.source} to ${args.destination}`)
  }
}

const moveTool = tool({
  name: 'move_file',
  title: 'Move File',
  description: 'Move or rename a file or folder. Fails if the destination exists.',
  input: sourceAndDestination,
  output: TEXT_OUTPUT,
  annotations: changes({ idempotent: false }),
  run: transfer('move', 'moved'),
})

const copyTool = tool({
  name: 'copy_file',
  title: 'Copy File',
  description: 'Copy a file without reading it. Fails if the destination exists.',
  input: sourceAndDestination,
  output: TEXT_OUTPUT,
  annotations: changes({ idempotent: false, destructive: false }),
  run: transfer('copy', 'copied'),
})

const deleteTool = tool({
  name: 'delete_file',
  title: 'Delete File',
  description: 'Delete a file, or with recursive a folder and all in it. Old versions are kept.',
  input: z.strictObject({
    path,
    recursive: z.boolean().optional(),
    lock_token: lockToken,
    if_version: ifVersion,
  }),
  output: TEXT_OUTPUT,
  annotations: changes({ idempotent: false }),
  async run(args, context) {
    await context.door.call('delete_file', {
      workspace: context.workspace,
      path: pathOf(context, args.path),
      ...(args.recursive === undefined ? {} : { recursive: args.recursive }),
      ...locksOf(args.lock_token),
      ...ifVersionOf(args.if_version),
    })
    return textAnswer(`Successfully deleted ${args.path}`)
  },
})

export const writeTools: readonly Tool[] = [
  writeTool,
  editTool,
  appendTool,
  createFolderTool,
  moveTool,
  copyTool,
  deleteTool,
]
