import type { Notice } from '../../contract/door.ts'

/**
 * What sessions should know without having asked. A connection that listens hears at once; for all
 * others it waits for their next call. Memory only: whatever matters after a restart is in the state
 * (locks, recalls, questions), and is told anew then.
 */
export class NoticeBoard {
  private readonly boxes = new Map<string, Map<string, Box>>()
  private readonly listeners = new Map<string, Set<Listener>>()

  post(session: string, workspace: string, notice: Notice): void {
    const box = this.boxOf(session, workspace)
    box.kept.push(notice)
    if (box.kept.length > NOTICES_KEPT) box.kept.shift()
    const listeners = this.listeners.get(session)
    if (listeners === undefined) box.untold = Math.min(box.untold + 1, box.kept.length)
    else for (const listener of listeners) listener(workspace, [notice])
  }

  /**
   * Calls back with every notice from now on, and with what was not told yet; where the session is
   * resumed on a new connection with all that was told lately, for nobody knows what the lost one still
   * delivered. Returns the stop.
   */
  listen(session: string, listener: Listener, isResumed = false): () => void {
    const listeners = this.listeners.get(session) ?? new Set()
    this.listeners.set(session, listeners.add(listener))
    for (const workspace of this.boxes.get(session)?.keys() ?? []) {
      const untold = this.take(session, workspace)
      const told = isResumed ? this.recent(session, workspace) : untold
      if (told.length > 0) listener(workspace, told)
    }
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.listeners.get(session) === listeners) {
        this.listeners.delete(session)
      }
    }
  }

  /** What the session was not told yet; it counts as told then. */
  take(session: string, workspace: string): Notice[] {
    const box = this.boxes.get(session)?.get(workspace)
    if (box === undefined || box.untold === 0) return none
    const untold = box.kept.slice(-box.untold)
    box.untold = 0
    return untold
  }

  untold(session: string, workspace: string): number {
    return this.boxes.get(session)?.get(workspace)?.untold ?? 0
  }

  /** The last ones, told or not. */
  recent(session: string, workspace: string): readonly Notice[] {
    return this.boxes.get(session)?.get(workspace)?.kept ?? none
  }

  forget(session: string): void {
    this.boxes.delete(session)
  }

  private boxOf(session: string, workspace: string): Box {
    let boxes = this.boxes.get(session)
    if (boxes === undefined) {
      boxes = new Map()
      this.boxes.set(session, boxes)
    }
    let box = boxes.get(workspace)
    if (box === undefined) {
      box = { kept: [], untold: 0 }
      boxes.set(workspace, box)
    }
    return box
  }
}

export type Listener = (workspace: string, notices: readonly Notice[]) => void

interface Box {
  kept: Notice[]
  /** How many of the last ones were not told. */
  untold: number
}

/** Of each session in each workspace. */
export const NOTICES_KEPT = 50
const none: Notice[] = []
