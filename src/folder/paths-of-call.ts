import type { OperationName, Parsed } from '../contract/operations.ts'
import type { Call } from '../engine/call.ts'

/**
 * What a call does with the paths it names. `look`: what is there has to be known. `write`: it changes
 * them. `name`: they only choose what is told.
 */
type Use = 'look' | 'write' | 'name'

const USES: Partial<Record<OperationName, Use>> = {
  read_file: 'look',
  read_text: 'look',
  get_entry: 'look',
  get_history: 'look',
  acquire_lock: 'look',
  write_file: 'write',
  patch_file: 'write',
  delete_file: 'write',
  commit: 'write',
  list_locks: 'name',
  query_audit: 'name',
}

interface Naming {
  path?: string
  items?: readonly { path: string }[]
  changes?: readonly { path: string; to?: string }[]
  at?: number
}

/** Undefined: the call names none. */
export function pathsOf({ operation, input }: Call): { paths: string[]; use: Use } | undefined {
  const use = USES[operation]
  if (use === undefined) return undefined
  const { path, items, changes, at } = input as Naming
  const paths = path === undefined ? [] : [path]
  for (const one of items ?? []) paths.push(one.path)
  for (const one of changes ?? []) {
    paths.push(one.path)
    if (one.to !== undefined) paths.push(one.to)
  }
  if (paths.length === 0) return undefined
  // What was is no longer on the disk.
  return { paths, use: at === undefined ? use : 'name' }
}

export function withPaths<N extends OperationName>(
  input: Parsed<N>,
  placed: (path: string) => string,
): Parsed<N> {
  const { path, items, changes } = input as Naming
  return {
    ...input,
    ...(path === undefined ? {} : { path: placed(path) }),
    ...(items === undefined
      ? {}
      : { items: items.map((one) => ({ ...one, path: placed(one.path) })) }),
    ...(changes === undefined
      ? {}
      : {
          changes: changes.map((one) => ({
            ...one,
            path: placed(one.path),
            ...(one.to === undefined ? {} : { to: placed(one.to) }),
          })),
        }),
  }
}
