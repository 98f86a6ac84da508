import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Which folder a workspace is kept in step with is noted in its part of the data folder, so that a start
 * that does not say finds it again. What a start says counts: folders may be moved while nobody looks.
 */
export function notedRoots(data: string, workspace: string): string[] | undefined {
  const file = noteOf(data, workspace)
  if (!existsSync(file)) return undefined
  const { roots } = JSON.parse(readFileSync(file, 'utf8')) as { roots: string[] }
  return roots
}

/** Workspaces that are noted to be folders. */
export function notedWorkspaces(data: string): string[] {
  const place = join(data, 'workspaces')
  if (!existsSync(place)) return []
  return readdirSync(place).filter((name) => existsSync(noteOf(data, name)))
}

export function noteRoots(data: string, workspace: string, roots: readonly string[]): void {
  const file = noteOf(data, workspace)
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify({ roots })}\n`, { mode: 0o600, flush: true })
  renameSync(draft, file)
}

function noteOf(data: string, workspace: string): string {
  return join(data, 'workspaces', workspace, 'folder.json')
}
