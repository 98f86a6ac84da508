import { BoundedMap } from '../../core/bounded-map.ts'

interface Seen {
  version: number
  at: number
  /** It was shown as text that is not byte for byte what the file holds: the encoding guessed for it. */
  inexact?: string | undefined
}

/**
 * Which version of which file each session last read (files §9). Not a fact: after a restart an
 * agent reads again before it replaces somebody else's file.
 */
export class SeenVersions {
  private readonly sessions = new Map<string, BoundedMap<number, Seen>>()

  of(session: string, file: number): Seen | undefined {
    return this.sessions.get(session)?.get(file)
  }

  /** Sessions that know a file as it was at a version. */
  *whoKnows(file: number, version: number): Generator<string> {
    for (const [session, files] of this.sessions) {
      if (files.get(file)?.version === version) yield session
    }
  }

  saw(session: string, file: number, version: number, at: number, inexact?: string): void {
    let files = this.sessions.get(session)
    if (files === undefined) {
      files = new BoundedMap(FILES_PER_SESSION)
      this.sessions.set(session, files)
    }
    files.set(file, inexact === undefined ? { version, at } : { version, at, inexact })
  }

  /** What was written after `revision` was lost: its numbers will name other contents. */
  forgetAfter(revision: number): void {
    for (const [session, files] of this.sessions) {
      const kept = new BoundedMap<number, Seen>(FILES_PER_SESSION)
      for (const [file, seen] of files.entries()) {
        if (seen.version <= revision) kept.set(file, seen)
      }
      this.sessions.set(session, kept)
    }
  }

  forget(session: string): void {
    this.sessions.delete(session)
  }
}

/** The files a session read longest ago have to be read again before they are replaced. */
const FILES_PER_SESSION = 10_000
