import { SluiceError } from '../contract/errors.ts'
import type { HttpDoor } from './http-door.ts'

/** The version of a file now, 0 where nothing is, undefined for a folder. */
export async function versionOf(
  door: HttpDoor,
  { workspace, path }: { workspace?: string | undefined; path: string },
): Promise<number | undefined> {
  try {
    const input = { path, depth: 0, ...(workspace === undefined ? {} : { workspace }) }
    const entry = await door.call('get_entry', input)
    return entry.kind === 'file' ? entry.version : undefined
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return 0
    throw error
  }
}
