import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { tokenFile } from '../server-note.ts'
import { sizeText } from './text.ts'

/** One thing that `sluice doctor` looked at. `note`: neither good nor wrong, or not to be known. */
export interface Finding {
  check: string
  outcome: 'good' | 'wrong' | 'note'
  says: string
  /** What to do about it. */
  todo?: string
}

const LEAST_NODE = [22, 18] as const
const LITTLE_ROOM_BYTES = 1024 ** 3

export function checkNode(): Finding {
  const check = 'Node'
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNew = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  const says = `${process.version} at ${process.execPath}`
  if (isNew) return { check, outcome: 'good', says }
  return { check, outcome: 'wrong', says, todo: `Install Node ${LEAST_NODE.join('.')} or newer.` }
}

export function checkData(data: string): Finding {
  const check = 'Data folder'
  if (!existsSync(data)) {
    const todo = 'The first "sluice serve" makes it; --data names another.'
    return { check, outcome: 'note', says: `there is none at ${data}`, todo }
  }
  try {
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    const todo = `Give it to the user that runs the server, for example with chown.`
    return { check, outcome: 'wrong', says: `${data} cannot be written by this user`, todo }
  }
  return { check, outcome: 'good', says: `${data} can be written` }
}

export function checkRoom(data: string): Finding {
  const check = 'Disk'
  try {
    const { bavail, bsize } = statfsSync(existsSync(data) ? data : dirname(data))
    const free = bavail * bsize
    const says = `${sizeText(free)} free`
    if (free >= LITTLE_ROOM_BYTES) return { check, outcome: 'good', says }
    const todo = 'Make room: with a full disk the server refuses writes until there is some.'
    return { check, outcome: 'wrong', says, todo }
  } catch {
    return { check, outcome: 'note', says: 'how much is free is not known' }
  }
}

export function checkToken(data: string): Finding {
  const check = 'Token file'
  const file = tokenFile(data)
  if (!existsSync(file)) {
    const todo = existsSync(data)
      ? 'Give a token with --token or in SLUICE_TOKEN.'
      : 'The first start makes it.'
    return { check, outcome: 'note', says: `there is no ${file}`, todo }
  }
  const mode = statSync(file).mode & 0o777
  // Windows has no such modes.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const says = `${file} has mode ${mode.toString(8)}: others on this machine can read it`
    return { check, outcome: 'wrong', says, todo: `chmod 600 ${file}` }
  }
  return { check, outcome: 'good', says: `${file} is for its owner only` }
}
