import { fail, SluiceError } from '../../contract/errors.ts'
import { isWithin } from '../../contract/path.ts'
import { factsOf } from './entries.ts'
import { pathOf, type ToolContext } from './tool.ts'

/** Where people's own files lie on most machines. */
const HOMES = /^\/(?:(?:home|Users)\/[^/]+|root)(?:\/|$)/

/**
 * As `pathOf`, for what a tool may make anew. An agent that knows a file by its path on its own
 * machine would make a tree of that name here, and never find it there: unless somebody made such a
 * tree on purpose, it is told where files live.
 */
export async function newPathOf(context: ToolContext, given: string): Promise<string> {
  const path = pathOf(context, given)
  const { roots, hostFolders } = context
  if (roots !== undefined || path === '/') return path
  const host = hostFolders.find((one) => one !== '/' && isWithin(one, path))
  if (host === undefined && !HOMES.test(path)) return path
  const top = path.slice(0, path.indexOf('/', 1) === -1 ? undefined : path.indexOf('/', 1))
  if (await isThere(context, top)) return path
  const inside = host === undefined ? path.replace(HOMES, '/') : path.slice(host.length) || '/'
  return fail(
    'invalid_path',
    `${given} looks like a path on your machine. Files live in Sluice here, not on that disk; paths ` +
      `start at the root of the workspace "${context.workspace}". Write "${inside}", or make the folder ` +
      `"${top}" first if it is meant.`,
    { path: given },
  )
}

async function isThere(context: ToolContext, path: string): Promise<boolean> {
  try {
    await factsOf(context, path)
    return true
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return false
    throw error
  }
}
