import { randomBytes } from 'node:crypto'

/** The folder of ours in each root. */
export const OWN_FOLDER = '.sluice'

/** Beside a file on another disk than that: names of this process, which no other one has. */
export function nameBeside(kind: 'new' | 'held', id: string): string {
  return `${OWN_FOLDER}-${kind}-${PROCESS}-${id}`
}

/** Whether a name is one of those, of this process or another. */
export function isBeside(name: string): boolean {
  return BESIDE.test(name)
}

/** What another process left there; undefined: it is nothing of that kind. */
export function leftBeside(
  name: string,
): { kind: 'new' } | { kind: 'held'; revision: number; change: number } | undefined {
  const [, kind, process, revision, change] = BESIDE.exec(name) ?? []
  if (kind === undefined || process === PROCESS) return undefined
  if (kind === 'new') return { kind }
  return { kind: 'held', revision: Number(revision), change: Number(change) }
}

/** In containers, every process has the same number. */
const PROCESS = randomBytes(4).toString('hex')
const BESIDE = /^\.sluice-(new|held)-([0-9a-f]{8})-(\d+)(?:\.(\d+)\.\d+)?\+*$/
