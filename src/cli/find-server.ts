import { type ServerNote, serverNote } from '../server-note.ts'
import { request, textOf } from './http.ts'

/**
 * The server that serves a data folder now. A note may be left over from one that was killed, and its
 * port may be somebody else's by now, so the server found must say the note's own instance.
 */
export async function findServer(data: string): Promise<ServerNote | undefined> {
  const note = serverNote(data)
  if (note === undefined) return undefined
  return (await healthOf(note.url))?.instance === note.instance ? note : undefined
}

export async function healthOf(
  url: string,
): Promise<{ status?: string; instance?: string } | undefined> {
  try {
    const answer = await request(`${url.replace(/\/$/, '')}/health`, { timeout: ANSWER_MS })
    return JSON.parse(await textOf(answer)) as { status?: string; instance?: string }
  } catch {
    // Nobody there, or nobody who speaks our language.
    return undefined
  }
}

const ANSWER_MS = 3000
