import type { Notice } from '../../contract/door.ts'
import { isoTime } from '../../contract/time.ts'
import { TransientMap } from '../../contract/transient.ts'

/**
 * Writes of one caller to one file that are under way at the same moment (guard §2). Several agents
 * behind one connection look like one caller; where a whole write meets another write, one of them may
 * not have known of the other, and both are told. Appends and edits alone lose nothing and are not.
 */
export class Overlaps {
  private readonly underWay = new TransientMap<string, Set<Write>>()
  private readonly tell: (session: string, notice: Notice) => void

  constructor(tell: (session: string, notice: Notice) => void) {
    this.tell = tell
  }

  async during<T>(
    { session, path, isWhole }: Write,
    now: () => number,
    write: () => Promise<T>,
  ): Promise<T> {
    const key = `${session} ${path}`
    const others = this.underWay.get(key) ?? new Set<Write>()
    const own = { session, path, isWhole }
    const isMet = [...others].some((other) => other.isWhole || isWhole)
    this.underWay.set(key, others.add(own))
    try {
      return await write()
    } finally {
      others.delete(own)
      if (others.size === 0) this.underWay.delete(key)
      if (isMet) this.tell(session, overlapped(path, now()))
    }
  }
}

interface Write {
  session: string
  path: string
  /** It replaces the whole content. */
  isWhole: boolean
}

function overlapped(path: string, at: number): Notice {
  return {
    kind: 'overlapped',
    text:
      `Two writes of your session to ${path} were under way at the same moment. If they came from two ` +
      'agents on one connection, let each pass "as" with a name of its own; read the file to see what ' +
      'stands there.',
    at: isoTime(at),
    paths: [path],
  }
}
