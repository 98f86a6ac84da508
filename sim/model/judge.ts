import type { Event, EventOf, Settings } from '../../src/contract/events.ts'
import type { AcquireLock, ChangeLock, Command } from '../../src/core/command.ts'
import { leavesConflict, type ModelItem, meetingPoint, modelItem, nodeOf } from './conflict.ts'
import { Phase } from './phase.ts'
import { ModelState, type ModelTicket, usualRank } from './state.ts'
import {
  clashes,
  directlyAhead,
  holdsAgainst,
  isAhead,
  oneMoveHelps,
  served,
  stuckSessions,
  ticketsAgainst,
  type Waiting,
} from './waiting.ts'

export class ModelDisagrees extends Error {
  override name = 'ModelDisagrees'
}

/** What the caller of a decision was told. */
export interface Told {
  command: Command
  refusal?: { code: string } | undefined
  held?: number | undefined
  waiting?: number | undefined
}

/**
 * The judge: the rules of locks.md and of record 0008 once more, slow and plain, sharing nothing with
 * the core. It is given the facts of one decision and says whether the rules allow each of them, and
 * whether any is missing.
 */
export class LockModel {
  readonly state: ModelState
  /** What is being decided; unknown where only the stream of facts is. */
  private command: Command | undefined

  constructor(settings: Settings) {
    this.state = new ModelState(settings)
  }

  judge(events: readonly Event[], told?: Told): void {
    if (told !== undefined) this.foretell(events, told)
    this.command = told?.command
    const phase = new Phase(this.state)
    for (const event of events) {
      if (event.revision <= this.state.revision) this.disagree('I2', `${event.revision} came again`)
      this.allow(event, phase)
      phase.before(event)
      this.state.fold(event)
    }
    phase.close()
    this.expectNobodyMissed(phase)
    this.expectHoldsApart()
    this.expectNobodyStuck()
  }

  private allow(event: Event, phase: Phase): void {
    if (event.kind === 'lock-acquired' || event.kind === 'lock-raised')
      this.allowGrant(event, phase)
    if (event.kind === 'files-committed') this.allowCommit(event)
    const about = 'lock' in event && event.kind !== 'lock-opened' && event.kind !== 'draft-kept'
    if (about && !this.state.holds.has(event.lock)) {
      this.disagree('I2', `${event.kind} of L${event.lock}, which is not held`)
    }
  }

  private allowGrant(event: EventOf<'lock-acquired' | 'lock-raised'>, phase: Phase): void {
    const { state } = this
    const items = event.items.map(modelItem)
    for (const item of items) {
      const [against] = holdsAgainst(state, event.session, item)
      if (against !== undefined) {
        this.disagree('I1', `${event.session} got ${item.path}, which L${against.id} is against`)
      }
    }
    const ticket = event.ticket === undefined ? undefined : state.tickets.get(event.ticket)
    if (event.ticket !== undefined && ticket === undefined) {
      this.disagree('locks §10', `a grant to T${event.ticket}, which does not wait`)
    }
    if (ticket?.any !== undefined && items.length !== ticket.any) {
      this.disagree('locks §9', `T${ticket.id} got ${items.length} of ${ticket.any}`)
    }
    const waiting = ticket ?? this.newcomer(event, items)
    const passed = new Map<number, { other: Waiting; item: ModelItem }[]>()
    for (const item of items) {
      for (const other of ticketsAgainst(
        [...state.tickets.values()],
        { ...waiting, any: undefined },
        item,
      )) {
        passed.set(other.id, [...(passed.get(other.id) ?? []), { other, item }])
      }
    }
    if (passed.size === 0) return
    const all = [...passed.values()].flat()
    if (ticket !== undefined && phase.excuses(ticket, all)) return
    if (ticket !== undefined && this.limitExcuses(ticket, all)) return
    this.disagree('locks §8', `${event.session} went past T${[...passed.keys()].join(', T')}`)
  }

  /** A request that never waited, at the place it would have had (record no. 6 and 7). */
  private newcomer(
    { session, agent, at, priority, revision }: EventOf<'lock-acquired' | 'lock-raised'>,
    items: ModelItem[],
  ): Waiting {
    const rank = usualRank(this.state.settings, at, priority)
    const place = { rank, seq: revision, id: revision }
    // Of any of several all were asked for, which only the command says.
    const { command } = this
    const asked = command?.kind === 'acquire-lock' ? askedItems(command) : items
    const placed = this.aheadOfOwn({ session, agent, items: asked, any: undefined, ...place })
    return { ...placed, items }
  }

  private aheadOfOwn(waiting: Waiting): Waiting {
    const own = [...this.state.holds.values()].filter((hold) => hold.session === waiting.session)
    const first = [...this.state.tickets.values()]
      .filter(
        (ticket) =>
          ticket.session !== waiting.session &&
          isAhead(ticket, waiting) &&
          (this.command === undefined || clashes(ticket.items, waiting.items)) &&
          own.some((hold) => clashes(hold.items, ticket.items)),
      )
      .sort((a, b) => (isAhead(a, b) ? -1 : 1))[0]
    const queue = [...this.state.tickets.values()]
    return first === undefined ? waiting : { ...waiting, ...directlyAhead(queue, first) }
  }

  /** Record no. 12: instead of an agent at its limit, one that waits for nothing else. */
  private limitExcuses(ticket: ModelTicket, passed: { other: Waiting }[]): boolean {
    const { state } = this
    const own = [...state.tickets.values()].filter((one) => one.session === ticket.session)
    const [first] = passed
    if (own.length > 1 || first === undefined) return false
    const { agent } = first.other
    if (passed.some(({ other }) => other.agent !== agent) || agent === ticket.agent) return false
    return [...state.tickets.values()].some(
      (other) =>
        other.agent === agent &&
        clashes(other.items, ticket.items) &&
        other.items.some((item) => {
          const streak = state.streaks.get(nodeOf(item))
          return streak?.agent === agent && streak.wins >= state.settings.wins_in_a_row
        }),
    )
  }

  /** Record no. 27, and locks §33: under whose holds a commit was made. */
  private allowCommit(event: EventOf<'files-committed'>): void {
    const { state } = this
    const sessions = new Set([event.session])
    for (const id of event.locks ?? []) {
      const hold = state.holds.get(id)
      if (hold === undefined) this.disagree('I4', `a commit under L${id}, which is not held`)
      else sessions.add(hold.session)
    }
    for (const change of event.changes) {
      // Folders on the way to what is written are made whoever holds what in them.
      if (change.op === 'make-folder') continue
      const taken: ModelItem = {
        path: change.path,
        leaf: 'write',
        subtree: false,
        range: undefined,
        isMetadata: false,
        ifVersion: undefined,
      }
      if (change.op === 'write') {
        const size = state.files.get(change.path)?.size ?? 0
        if (change.how === 'append') taken.range = [size, Number.POSITIVE_INFINITY]
        else if (change.splice !== undefined) {
          const { start, end } = change.splice
          taken.range = [start, start === end && end === size ? Number.POSITIVE_INFINITY : end]
        }
      }
      const isAppend = change.op === 'write' && change.how === 'append'
      const against = state.standing.find(
        (hold) =>
          (!sessions.has(hold.session) || state.closed.has(hold.id)) &&
          hold.items.some((item) => {
            const meets =
              meetingPoint(taken, item) !== undefined && leavesConflict(taken.leaf, item.leaf)
            // files §11: of whole files only an exclusive hold stops an append.
            return meets && (!isAppend || item.leaf === 'exclusive' || item.range !== undefined)
          }),
      )
      if (against !== undefined) {
        this.disagree('I3', `${event.session} wrote ${change.path} against L${against.id}`)
      }
    }
  }

  private expectNobodyMissed(phase: Phase): void {
    for (const ticket of this.state.tickets.values()) {
      if (served(this.state, ticket) !== undefined) {
        this.disagree('locks §42', `T${ticket.id} of ${ticket.session} could go and waits`)
      }
      if (phase.isMissed(ticket)) {
        this.disagree('locks §18', `the reader T${ticket.id} should have entered`)
      }
    }
  }

  private expectHoldsApart(): void {
    const all = this.state.standing
    for (const [index, a] of all.entries()) {
      for (const b of all.slice(index + 1)) {
        if (a.session !== b.session && clashes(a.items, b.items)) {
          this.disagree('I1', `L${a.id} of ${a.session} and L${b.id} of ${b.session} are held`)
        }
      }
    }
  }

  private expectNobodyStuck(): void {
    const stuck = stuckSessions(this.state, [...this.state.tickets.values()])
    if (stuck.size > 0) this.disagree('I9', `${[...stuck].join(', ')} wait in a cycle`)
  }

  /** What a request for a lock should come to, as far as locks alone decide it. */
  private foretell(events: readonly Event[], told: Told): void {
    const { command, refusal } = told
    if (refusal !== undefined && events.length > 0) {
      this.disagree('§19', `a refusal (${refusal.code}) that changed something`)
    }
    if (command.kind !== 'acquire-lock' && command.kind !== 'change-lock') return
    if (told.held !== undefined) {
      const hold = this.state.holds.get(told.held)
      if (hold?.session !== command.actor.session) {
        this.disagree('locks §12', `L${told.held} was given as held already`)
      }
      return
    }
    if (refusal !== undefined) this.foretellRefusal(command, refusal.code)
    const [first] = events
    if (first?.kind === 'lock-queued' && command.queue === false) {
      this.disagree('locks §9', 'queued, though it would not wait')
    }
  }

  private foretellRefusal(command: AcquireLock | ChangeLock, code: string): void {
    if (!['lock_conflict', 'deadlock', 'upgrade_conflict'].includes(code)) return
    const request = this.requestOf(command)
    if (request === undefined) return
    const queue = [...this.state.tickets.values()]
    if (code === 'upgrade_conflict') {
      const other = queue.find(
        (ticket) =>
          ticket.session !== request.session &&
          ticket.raises !== undefined &&
          ticket.items.some((item) => item.leaf === 'exclusive') &&
          clashes(ticket.items, request.items),
      )
      if (other === undefined) this.disagree('locks §16', 'nobody else wants it for itself alone')
      return
    }
    const withIt = [...queue, request]
    if (code === 'lock_conflict') {
      if (served(this.state, request) === undefined) return
      const isTangled = stuckSessions(this.state, withIt).size > 0
      if (!isTangled && !this.isAtLimit(request)) {
        this.disagree('locks §8', `nothing is in the way of ${request.session}`)
      }
      return
    }
    if (stuckSessions(this.state, withIt).size === 0) {
      this.disagree('locks §24', `a false alarm: ${request.session} could wait`)
    }
    if (oneMoveHelps(this.state, withIt)) {
      this.disagree('locks §23', `${request.session} could wait if one let another go first`)
    }
  }

  private isAtLimit({ agent, items }: Waiting): boolean {
    return items.some((item) => {
      const streak = this.state.streaks.get(nodeOf(item))
      return streak?.agent === agent && streak.wins >= this.state.settings.wins_in_a_row
    })
  }

  private requestOf(command: AcquireLock | ChangeLock): Waiting | undefined {
    const { session, agent } = command.actor
    const { revision } = this.state
    const items = command.kind === 'change-lock' ? this.changedItems(command) : askedItems(command)
    if (items === undefined) return undefined
    // Of any of several those that are held already do not count; which the model leaves to the core.
    if (command.kind === 'acquire-lock' && command.any !== undefined) return undefined
    const priority =
      command.kind === 'acquire-lock' ? command.priority : this.priorityOf(command.lock)
    const id = revision + 1
    const rank = usualRank(this.state.settings, this.at, priority)
    return this.aheadOfOwn({ session, agent, items, any: undefined, rank, seq: id, id })
  }

  private changedItems({ lock, to, stable }: ChangeLock): ModelItem[] | undefined {
    const leaf = to === 'read' && stable === true ? 'stable' : to
    return this.state.holds.get(lock)?.items.map((item) => ({ ...item, leaf }))
  }

  /** The time of the decision; the facts of a refusal have none. */
  at = 0
  private readonly priorities = new Map<number, number | undefined>()
  private priorityOf(lock: number): number | undefined {
    return this.priorities.get(lock)
  }

  noteTerms(event: Event): void {
    if (event.kind === 'lock-acquired') this.priorities.set(event.revision, event.priority)
    if (event.kind === 'lock-raised') this.priorities.set(event.lock, event.priority)
    if (event.kind === 'lock-handed-over') {
      this.priorities.set(event.revision, this.priorities.get(event.lock))
    }
  }

  private disagree(rule: string, what: string): never {
    const { holds, closed, tickets } = this.state
    const told = (one: { session: string; items: ModelItem[] }) =>
      `${one.session} ${one.items
        .map(
          (item) => `${item.leaf} ${nodeOf(item)}${item.range ? ` ${item.range.join('–')}` : ''}`,
        )
        .join(' + ')}`
    const picture = [
      ...[...holds.values()].map((hold) => `L${hold.id} ${told(hold)}`),
      ...[...closed.values()].map((hold) => `closed L${hold.id} ${told(hold)}`),
      ...[...tickets.values()].map(
        (one) =>
          `T${one.id} (${one.rank}, ${one.seq}) ${told(one)}${one.any ? ` any ${one.any}` : ''}`,
      ),
    ]
    throw new ModelDisagrees(`${rule}: ${what}\n${picture.join('\n')}`)
  }
}

function askedItems(command: AcquireLock): ModelItem[] {
  const merged: ModelItem[] = []
  for (const { path, level, stable, scope, range, key } of command.items) {
    const item = modelItem({
      path,
      level,
      scope: scope ?? 'file',
      ...(stable === true ? { stable } : {}),
      ...(range === undefined ? {} : { range }),
      ...(key === undefined ? {} : { key }),
    })
    merged.push(item)
  }
  return merged
}
