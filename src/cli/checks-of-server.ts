import { SluiceError } from '../contract/errors.ts'
import { serverNote } from '../server-note.ts'
import type { Finding } from './checks.ts'
import { doorOf } from './door.ts'
import { findServer, healthOf } from './find-server.ts'
import { type FolderReport, trackedText, watchedText } from './folder-lines.ts'
import type { HttpDoor } from './http-door.ts'
import type { Values } from './values.ts'

/** What can be asked of the server, from the outside in; stops at the first thing that is wrong. */
export async function checkServer(values: Values, data: string): Promise<Finding[]> {
  const reached = await reach(values, data)
  if (reached.outcome !== 'good') return [reached]
  try {
    const door = await doorOf(values)
    const { workspaces } = await door.call('list_workspaces', {})
    const token: Finding = { check: 'Token', outcome: 'good', says: 'the server knows it' }
    const ledgers: Finding[] = []
    for (const { name, folder } of workspaces) {
      ledgers.push(await checkLedger(door, name))
      if (folder !== undefined) ledgers.push(...checkFolder(name, folder))
    }
    return [reached, token, ...ledgers]
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const todo = 'Give a token that this server knows with --token or in SLUICE_TOKEN.'
    return [reached, { check: 'Token', outcome: 'wrong', says: error.message, todo }]
  }
}

async function reach(values: Values, data: string): Promise<Finding> {
  const check = 'Server'
  const url = values.text('url')
  if (url !== undefined) {
    const health = await healthOf(url)
    if (health?.status === 'ok') return { check, outcome: 'good', says: `answers at ${url}` }
    const says = `${url} ${health === undefined ? 'does not answer' : `is ${health.status}`}`
    return { check, outcome: 'wrong', says, todo: 'Start it, or look at its log.' }
  }
  const found = await findServer(data)
  if (found !== undefined) {
    return { check, outcome: 'good', says: `process ${found.pid} answers at ${found.url}` }
  }
  const note = serverNote(data)
  const todo = `Start one: sluice serve --data ${data}`
  if (note === undefined) return { check, outcome: 'note', says: 'none runs on this folder', todo }
  const says = `the last one was process ${note.pid} at ${note.url} and does not answer`
  return { check, outcome: 'wrong', says, todo }
}

function checkFolder(name: string, { roots, scan, watching }: FolderReport): Finding[] {
  const check = `Folder of ${name}`
  const says = `${roots.join(', ')}: ${trackedText(scan)}`
  const { fault } = watching
  return [
    { check, outcome: scan.done ? 'good' : 'note', says },
    fault === undefined
      ? { check, outcome: 'good', says: `${watchedText(watching)} watched` }
      : { check, outcome: 'note', says: `not watched: ${fault}`, todo: NOT_WATCHED },
  ]
}

const NOT_WATCHED =
  'Nothing is lost without: files are looked at before each use. Others hear of changes a little later.'

async function checkLedger(door: HttpDoor, workspace: string): Promise<Finding> {
  const check = `Ledger of ${workspace}`
  try {
    const { ok, from, to, batches, hash, fault } = await door.call('verify_audit', { workspace })
    if (ok) {
      const says = `revisions ${from} to ${to} add up, in ${batches} batches; hash ${hash}`
      return { check, outcome: 'good', says }
    }
    const todo = 'Stop the server, keep a copy of the folder, and restore it from a backup.'
    return { check, outcome: 'wrong', says: fault ?? 'it does not add up', todo }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    if (error.code !== 'forbidden') return { check, outcome: 'wrong', says: error.message }
    return { check, outcome: 'note', says: 'only supervisors, people and admins may check it' }
  }
}
