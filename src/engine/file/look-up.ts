import { fail, SluiceError } from '../../contract/errors.ts'
import { missingRight } from '../../core/agent/rights.ts'
import type { FileEntry } from '../../core/file/entry.ts'
import { ownerOfActor, taken } from '../../core/file/permit.ts'
import { fileAsOf, occupantAt, resolvePath } from '../../core/file/resolve-path.ts'
import { holdersInTheWay } from '../../core/lock/conflict.ts'
import { holderFacts, sentenceOf } from '../../core/lock/describe.ts'
import { MODE } from '../../core/lock/mode.ts'
import type { State } from '../../core/state.ts'
import type { Reader } from '../handler.ts'

/** What stands at a path, as one caller may see it. */
export type Sight = Pick<Reader, 'state' | 'actor' | 'moment'>

export function assertReadable({ state, actor, moment }: Sight, path: string): void {
  const refusal = missingRight(actor.rights, state, path, false, 'read')
  if (refusal !== undefined) throw SluiceError.of(refusal)
  if (!state.settings.exclusive_hides_reads) return
  const own = ownerOfActor(state, actor)
  const wanted = taken(state.locks, path, MODE.R)
  const found = holdersInTheWay(state.locks, wanted, own === undefined ? [] : [own], 1)
  const [first] = found
  if (first === undefined) return
  const holders = [holderFacts(first, moment)]
  fail('locked', `${sentenceOf(holders, 0)}, and this workspace hides what is held exclusively.`, {
    path,
    holders,
  })
}

/** The file at a path, now or as it was at a revision. */
export function fileAt(reader: Sight, path: string, at: number | undefined): FileEntry {
  assertReadable(reader, path)
  const { records, settings, revision } = reader.state
  if (at === undefined) {
    const place = resolvePath(records, path, settings.portable_names)
    const { entry } = place
    if (entry?.kind === 'file') return entry
    if (entry?.kind === 'folder')
      fail('is_folder', `${path} is a folder. List it instead.`, { path })
    throw notFound(path, place.clash)
  }
  if (at > revision) fail('not_found', `Revision ${at} is not written yet.`, { path, revision })
  const occupant = occupantAt(records, path, at, settings.portable_names)
  if (occupant?.kind === 'folder') fail('is_folder', `${path} was a folder then.`, { path })
  const file =
    occupant === undefined
      ? versionOfNow(reader.state, path, at)
      : fileAsOf(records, occupant.id, at)
  if (file === undefined) {
    fail('not_found', `There was no file at ${path} at revision ${at}.`, { path, at })
  }
  return file
}

/** A version from the history of the file that has this path by now, and had another one then. */
function versionOfNow(
  { records, settings }: State,
  path: string,
  at: number,
): FileEntry | undefined {
  const { entry } = resolvePath(records, path, settings.portable_names)
  if (entry?.kind !== 'file') return undefined
  const file = fileAsOf(records, entry.id, at)
  return file?.version === at ? file : undefined
}

export function notFound(path: string, clash: string | undefined): never {
  return fail(
    'not_found',
    clash === undefined
      ? `There is nothing at ${path}. List its folder to see what is there.`
      : `There is nothing at ${path}, but there is ${clash}.`,
    { path, ...(clash === undefined ? {} : { existing: clash }) },
  )
}
