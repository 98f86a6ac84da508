import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fail } from '../contract/errors.ts'
import { type ServerNote, serverNote, tokenFile } from '../server-note.ts'
import { findServer } from './find-server.ts'
import { dataFolderAround } from './served-folder.ts'
import type { Values } from './values.ts'

/** The server that a command talks to, and what it shows there. */
export interface Target {
  url: string
  token: string
}

/** What was set, else what the data folder on this machine says. */
export async function targetOf(values: Values): Promise<Target> {
  const data = dataFolderHere(values)
  const url = values.text('url')
  if (url !== undefined) {
    return { url: checkedUrl(url), token: values.text('token') ?? tokenFor(url, data) }
  }
  const found = await findServer(data)
  if (found === undefined) {
    fail('overloaded', `No server runs on ${data}. Start one: sluice serve --data ${data}`)
  }
  return targetAt(found, data, values)
}

export function targetAt(note: ServerNote, data: string, values: Values): Target {
  return { url: note.url, token: values.text('token') ?? adminToken(data) }
}

export function dataFolder(values: Values): string {
  return resolve(values.text('data') as string)
}

/** Unless it is said: that of the folder one is in, where that is served. */
export function dataFolderHere(values: Values): string {
  const around = values.sourceOf('data') === 'default' ? dataFolderAround('.') : undefined
  return around ?? dataFolder(values)
}

function checkedUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    fail('invalid_request', `--url: "${url}" is no address such as http://127.0.0.1:7420.`)
  }
  return url.replace(/\/+$/, '')
}

/** The token in a data folder is shown to no server but that folder's own. */
function tokenFor(url: string, data: string): string {
  const note = serverNote(data)
  if (note !== undefined && URL.canParse(url) && new URL(url).origin === note.url) {
    return adminToken(data)
  }
  return fail(
    'unauthenticated',
    `No token for ${url}. Give one with --token or in SLUICE_TOKEN; "sluice token NAME" makes one.`,
  )
}

function adminToken(data: string): string {
  try {
    return readFileSync(tokenFile(data), 'utf8').trim()
  } catch {
    return fail(
      'unauthenticated',
      `${tokenFile(data)} cannot be read. Give a token with --token or in SLUICE_TOKEN.`,
    )
  }
}
