import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a server says of itself in its data folder, for others on this machine. */
export interface ServerNote {
  pid: number
  url: string
  /** Made up at each start; `/health` says the same, so a stale note is told from a live server. */
  instance: string
  /** Started by `sluice mcp` for all such processes; ends by itself when idle. */
  shared?: boolean
}

export function noteFile(data: string): string {
  return join(data, 'server.json')
}

/** The admin's token of a data folder, written by its first start. */
export function tokenFile(data: string): string {
  return join(data, 'admin.token')
}

/** The note of the server that has (or had) this data folder. */
export function serverNote(data: string): ServerNote | undefined {
  try {
    const note = JSON.parse(readFileSync(noteFile(data), 'utf8')) as Partial<ServerNote>
    const { pid, url, instance, shared = false } = note
    if (typeof pid !== 'number' || typeof url !== 'string') return undefined
    return { pid, url, instance: instance ?? '', shared }
  } catch {
    return undefined
  }
}
