import type { Event, Settings } from '../../src/contract/events.ts'
import { itemsClash, type ModelItem, modelItem, nodeOf } from './conflict.ts'

/** What the facts come to, in lists. */
export interface ModelHold {
  id: number
  fence: number
  agent: string
  session: string
  items: ModelItem[]
}

export interface ModelTicket {
  id: number
  agent: string
  session: string
  items: ModelItem[]
  any: number | undefined
  raises: number | undefined
  rank: number
  seq: number
}

export class ModelState {
  settings: Settings
  revision = 0
  readonly holds = new Map<number, ModelHold>()
  /** Lost, and nobody's until their delay is over. */
  readonly closed = new Map<number, ModelHold>()
  readonly tickets = new Map<number, ModelTicket>()
  readonly streaks = new Map<string, { agent: string; wins: number }>()
  readonly files = new Map<string, { version: number; size: number }>()

  constructor(settings: Settings) {
    this.settings = settings
  }

  get standing(): ModelHold[] {
    return [...this.holds.values(), ...this.closed.values()]
  }

  fold(event: Event): void {
    this.revision = event.revision
    switch (event.kind) {
      case 'workspace-set':
        this.settings = { ...this.settings, ...event.settings }
        break
      case 'lock-queued':
        this.tickets.set(event.revision, {
          id: event.revision,
          agent: event.agent,
          session: event.session,
          items: event.items.map(modelItem),
          any: event.any,
          raises: event.raises,
          rank: event.rank ?? usualRank(this.settings, event.at, event.priority),
          seq: event.seq ?? event.revision,
        })
        break
      case 'ticket-moved': {
        const ticket = this.tickets.get(event.ticket)
        if (ticket !== undefined) Object.assign(ticket, { rank: event.rank, seq: event.seq })
        break
      }
      case 'ticket-left':
        this.tickets.delete(event.ticket)
        break
      case 'lock-acquired': {
        const { revision: id, agent, session } = event
        if (event.ticket !== undefined) this.tickets.delete(event.ticket)
        const items = event.items.map(modelItem)
        this.holds.set(id, { id, fence: id, agent, session, items })
        this.countWin(agent, items)
        break
      }
      case 'lock-raised': {
        if (event.ticket !== undefined) this.tickets.delete(event.ticket)
        const hold = this.holds.get(event.lock)
        if (hold !== undefined) {
          hold.items = event.items.map(modelItem)
          hold.fence = event.revision
        }
        break
      }
      case 'lock-lowered': {
        const hold = this.holds.get(event.lock)
        if (hold !== undefined) hold.items = event.items.map(modelItem)
        break
      }
      case 'lock-released': {
        const hold = this.holds.get(event.lock)
        this.holds.delete(event.lock)
        if (hold !== undefined && event.closedUntil !== undefined) this.closed.set(hold.id, hold)
        break
      }
      case 'lock-opened':
        this.closed.delete(event.lock)
        break
      case 'lock-handed-over': {
        const hold = this.holds.get(event.lock)
        this.holds.delete(event.lock)
        const { revision: id, to } = event
        if (hold !== undefined) {
          this.holds.set(id, {
            ...hold,
            items: hold.items.map((item) => ({ ...item })),
            id,
            fence: id,
            ...to,
          })
        }
        break
      }
      case 'files-committed':
        for (const change of event.changes) this.change(change, event.revision, event.session)
        break
      default:
    }
  }

  private change(
    change: Extract<Event, { kind: 'files-committed' }>['changes'][number],
    version: number,
    session: string,
  ): void {
    if (change.op === 'delete') this.files.delete(change.path)
    if (change.op === 'move') {
      const file = this.files.get(change.path)
      this.files.delete(change.path)
      if (file !== undefined) this.files.set(change.to, { ...file, version })
    }
    if (change.op !== 'write') return
    this.files.set(change.path, { version, size: change.size })
    const { splice } = change
    if (splice === undefined) return
    for (const owner of [...this.standing, ...this.tickets.values()]) {
      for (const item of owner.items) {
        if (item.path !== change.path || item.isMetadata || item.range === undefined) continue
        item.range = movedRange(item.range, splice, owner.session === session)
      }
    }
  }

  /** locks §21: how often in a row an agent took a path while another agent waited in conflict. */
  private countWin(agent: string, items: readonly ModelItem[]): void {
    for (const node of new Set(items.map(nodeOf))) {
      const isContested = [...this.tickets.values()].some(
        (ticket) =>
          ticket.agent !== agent &&
          items.some(
            (item) => nodeOf(item) === node && ticket.items.some((one) => itemsClash(one, item)),
          ),
      )
      const streak = this.streaks.get(node)
      if (!isContested) this.streaks.delete(node)
      else if (streak?.agent === agent) streak.wins += 1
      else this.streaks.set(node, { agent, wins: 1 })
    }
  }
}

export function usualRank(settings: Settings, at: number, priority: number | undefined): number {
  return at - 1000 * settings.age_step_s * (settings.order === 'priority' ? (priority ?? 5) : 5)
}

/** Record 0008 no. 26. */
export function movedRange(
  [start, end]: [number, number],
  splice: { start: number; end: number; size: number },
  isOwn: boolean,
): [number, number] {
  const growth = splice.size - (splice.end - splice.start)
  const isInsertion = splice.start === splice.end
  const move = (place: number, isStart: boolean): number => {
    if (isInsertion && place === splice.start) {
      // Outside for others; for whoever inserts, inside what ends there or has become empty.
      const goesAlong = isStart ? !isOwn || start < end : isOwn
      return goesAlong ? place + splice.size : place
    }
    if (place <= splice.start) return place
    if (place >= splice.end) return place + growth
    return Math.min(place, splice.start + splice.size)
  }
  const from = move(start, true)
  return [from, Math.max(from, move(end, false))]
}
