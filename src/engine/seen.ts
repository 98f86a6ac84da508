/**
 * Which version of which file each session last read (files §9). Not a fact: after a restart an
 * agent reads again before it replaces somebody else's file.
 */
export class SeenVersions {
  private readonly sessions = new Map<string, Map<number, { version: number; at: number }>>()

  of(session: string, file: number): { version: number; at: number } | undefined {
    return this.sessions.get(session)?.get(file)
  }

  saw(session: string, file: number, version: number, at: number): void {
    let files = this.sessions.get(session)
    if (files === undefined) {
      files = new Map()
      this.sessions.set(session, files)
    }
    files.delete(file)
    files.set(file, { version, at })
    if (files.size <= FILES_PER_SESSION) return
    const oldest = files.keys().next()
    if (oldest.done !== true) files.delete(oldest.value)
  }

  forget(session: string): void {
    this.sessions.delete(session)
  }
}

/** The files a session read longest ago have to be read again before they are replaced. */
const FILES_PER_SESSION = 10_000
