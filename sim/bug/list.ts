/**
 * Planted bugs: each makes one line of the source wrong when it is loaded (hook.ts), and a number of
 * runs must find it. They show that the checkers bite; what they catch is told in `caughtBy`.
 */
export interface Bug {
  name: string
  /** From the root. */
  file: string
  /** Occurs exactly once in the file; else the bug does not apply any more, and that is an error. */
  find: string
  replace: string
  /** The rules of which one has to break. */
  caughtBy: readonly string[]
}

export const BUGS: readonly Bug[] = [
  {
    name: 'reply before sync',
    file: 'src/engine/stream/stream.ts',
    find: 'if (revision <= this.durable) return done',
    replace: 'if (revision <= this.state.revision) return done',
    caughtBy: ['I14', 'I12', 'order', 'crash'],
  },
  {
    name: 'listeners hear before the sync',
    file: 'src/engine/stream/stream.ts',
    find: '    this.batches.add(events, contents)\n',
    replace:
      '    this.batches.add(events, contents)\n    for (const listener of this.listeners) listener(events)\n',
    caughtBy: ['I11', 'I14', 'I12', 'crash'],
  },
  {
    name: 'lease shortened after a restart',
    file: 'src/engine/lock/lease-table.ts',
    find: '    for (const lock of locks) this.track(lock, now)',
    replace: '    for (const lock of locks) this.track(lock, lock.grantedAt)',
    caughtBy: ['I12'],
  },
  {
    name: 'a renewed lock expires all the same',
    file: 'src/engine/lock/lease-table.ts',
    find: 'return Math.max(renewedAt, this.heardAt.get(lock.owner.session) ?? 0)',
    replace: 'return renewedAt',
    caughtBy: ['I12', 'liveness'],
  },
  {
    name: 'the client gives up too late',
    file: 'src/client/lease.ts',
    find: '> sureMs(lease) / 2',
    replace: '> lease.ttlMs * 2',
    caughtBy: ['I12'],
  },
  {
    name: 'the client counts from the answer',
    file: 'src/client/lease.ts',
    find: 'lease.goodAt = Math.max(lease.goodAt, sentAt)',
    replace: 'lease.goodAt = this.runtime.now()',
    caughtBy: ['I12'],
  },
  {
    name: 'a resent request gets a new id',
    file: 'src/client/connection.ts',
    find: '      this.outbox.push(message)\n',
    replace:
      "      const [what, id, name, input, ...rest] = message as [string, number, string, object, ...unknown[]]\n      this.outbox.push([what, id, name, 'request_id' in input ? { ...input, request_id: String(this.runtime.random()) } : input, ...rest] as never)\n",
    caughtBy: ['I10', 'I12', 'I14', 'order', 'count', 'linear'],
  },
  {
    name: 'a lost answer is decided anew',
    file: 'src/engine/stream/decider.ts',
    find: '    if (revision !== undefined) return { revision }\n',
    replace: '',
    caughtBy: ['I10'],
  },
  {
    name: 'a watch resumes one too late',
    file: 'src/engine/audit/watch.ts',
    find: 'follow(stream, query.since + 1, query.signal)',
    replace: 'follow(stream, query.since + 2, query.signal)',
    caughtBy: ['I11'],
  },
  {
    name: 'a waiting call is not woken',
    file: 'src/engine/lock/ticket-waits.ts',
    find: 'for (const finish of [...waiting]) finish()',
    replace: 'if (ticket % 2 === 0) for (const finish of [...waiting]) finish()',
    caughtBy: ['locks §42'],
  },
  {
    name: 'locks outlive their session',
    file: 'src/engine/session/sessions.ts',
    find: 'ended.map((one) => workspace.context.endSession(one, reason)),',
    replace: '[] as Promise<void>[],',
    caughtBy: ['locks §26', 'locks §29'],
  },
  {
    name: 'a commit needs some hold, not this one',
    file: 'src/core/file/permit.ts',
    find: 'if (lock === undefined) return lostRefusal(state, id)',
    replace: 'if (lock === undefined) continue',
    caughtBy: ['I4', 'I3'],
  },
  {
    name: 'ancestors are not asked',
    file: 'src/core/lock/conflict.ts',
    find: '    if (visit(node, intention, false)) return true\n',
    replace: '    visit(node, intention, false)\n',
    caughtBy: ['I1', 'I4', '§42', 'I9', 'model'],
  },
  {
    name: 'a release wakes nobody',
    file: 'src/core/lock/wake.ts',
    find: 'const freed = moved === undefined ? table.freed.shift() : undefined',
    replace: 'const freed = table.freed.splice(0)[-1]',
    caughtBy: ['§42', 'liveness', 'I9'],
  },
  {
    name: 'a place in the queue is not waited for',
    file: 'src/core/lock/conflict.ts',
    find: '    return waitsAhead(node, mode, asking) || (isOwn && waitsForRangeAhead(node, wanted, asking))\n',
    replace: '    return false\n',
    caughtBy: ['model', 'I7', 'I9', '§42'],
  },
  {
    name: 'a grant forgets the version asked for',
    file: 'src/core/lock/grant.ts',
    find: '    if (ifVersion === undefined || ifVersion === current) continue\n',
    replace: '    continue\n',
    caughtBy: ['locks §17', 'model'],
  },
  {
    name: 'part of what was asked for is granted',
    file: 'src/core/lock/grant.ts',
    find: '    items: items.map(factOf),\n',
    replace: '    items: items.slice(0, 1).map(factOf),\n',
    caughtBy: ['I6', 'model'],
  },
  {
    name: 'a handed over lock stays with both',
    file: 'src/core/lock/apply.ts',
    find: "  end(table, lock, { lock, at, reason: 'handed-over', by: to.agent, why: undefined })\n",
    replace: '',
    caughtBy: ['I1', 'I4', 'I13', 'liveness', 'crash'],
  },
  {
    name: 'a snapshot forgets a ticket',
    file: 'src/engine/stream/snapshot-locks.ts',
    find: '({ locks }) => [...locks.tickets.values()].map(rowOfTicket),',
    replace: '({ locks }) => [...locks.tickets.values()].slice(1).map(rowOfTicket),',
    caughtBy: ['I13', 'liveness', '§42', 'I14', 'crash'],
  },
  {
    name: 'a closed path is open',
    file: 'src/core/lock/release.ts',
    find: "  const isClosed = delayMs > 0 && reason !== 'unclaimed'\n",
    replace: '  const isClosed = false\n',
    caughtBy: ['locks §31', 'model'],
  },
  {
    name: 'a failed write is told as done',
    file: 'src/engine/stream/settlement.ts',
    find: 'else waiter.reject(new StreamFailed(cause, waiter.from <= durable))',
    replace: 'else waiter.resolve()',
    caughtBy: ['I14', 'I12', 'order', 'crash'],
  },
  {
    name: 'a session ends at once with its connection',
    file: 'src/engine/session/sessions.ts',
    find: 'connected.cancelGrace = this.clock.after(LIMITS.disconnectGraceMs,',
    replace: 'connected.cancelGrace = this.clock.after(0,',
    caughtBy: ['I12'],
  },
  {
    name: 'a watch begins anew where it left off',
    file: 'src/client/connection.ts',
    find: '      watch.input.since = (events.at(-1) as { revision: number }).revision\n',
    replace: '',
    caughtBy: ['I11'],
  },
  {
    name: 'others’ holds do not stop a write',
    file: 'src/core/file/permit.ts',
    find: 'if (!conflictsWithHolds(state.locks, wanted, owners)) return undefined',
    replace: 'if (wanted.range === undefined) return undefined',
    caughtBy: ['I4'],
  },
  {
    name: 'who waits is woken in the wrong order',
    file: 'src/core/lock/wake.ts',
    find: 'comparePlaces(b.next, a.next) < 0 ? b : a',
    replace: 'comparePlaces(b.next, a.next) < 0 ? a : b',
    caughtBy: ['model', '§42', 'liveness'],
  },
  {
    name: 'a range moves one too far',
    file: 'src/core/lock/range.ts',
    find: 'at + size - (end - start)',
    replace: 'at + size - (end - start) + 1',
    caughtBy: ['model'],
  },
  {
    name: 'a recall is ignored',
    file: 'src/core/lock/recall.ts',
    find: "if (recall.reason === 'supervisor' || isWaited) return",
    replace: "if (recall.reason === 'supervisor') return",
    caughtBy: ['model'],
  },
  {
    name: 'a downgrade wakes nobody',
    file: 'src/core/lock/apply.ts',
    find: '    if (lock !== undefined) replaceItems(table, lock, placed(table, event.items))\n',
    replace:
      '    if (lock !== undefined) replaceItems(table, lock, placed(table, event.items))\n    table.freed.length = 0\n',
    caughtBy: ['model', '§42'],
  },
  {
    name: 'a request may close a cycle',
    file: 'src/core/lock/waits-for.ts',
    find: 'if (!mayCloseCycle(table, request)) return',
    replace: 'if (request !== undefined) return',
    caughtBy: ['model', 'I9', 'liveness'],
  },
  {
    name: 'a stale reader may write',
    file: 'src/core/file/permit.ts',
    find: '  if (known === entry.version) return undefined\n',
    replace: '  if (known !== undefined) return undefined\n',
    caughtBy: ['model'],
  },
  {
    name: 'a lock is taken for knowledge',
    file: 'src/core/file/permit.ts',
    find: '  if (known === entry.version) return undefined\n',
    replace:
      '  if (known === entry.version || coveringWrite({ state, command, moment, owners: [...state.locks.owners.values()].filter((one) => one.session === actor.session) }, path) !== undefined) return undefined\n',
    caughtBy: ['model'],
  },
  {
    name: 'who appends knows the rest',
    file: 'src/engine/file/known-by-writing.ts',
    find: "    if (change.how !== 'write' && !isOnKnown) continue\n",
    replace: '',
    caughtBy: ['model'],
  },
  {
    name: 'an append passes a write lock',
    file: 'src/core/file/commit.ts',
    find: "    const isAppended = how === 'append' && entry !== undefined\n",
    replace:
      "    const isAppended = how === 'append' && entry !== undefined\n    if (isAppended) return lockedByOther(this.writer, this.taken(path, MODE.R))\n",
    caughtBy: ['I4', 'model', 'guard §1'],
  },
  {
    name: 'callers of one connection are one',
    file: 'src/engine/session/sessions.ts',
    find: '    const parent = parentOf(caller.session) ?? caller.session\n',
    replace:
      '    const parent = parentOf(caller.session) ?? caller.session\n    if (as.length > 0) return caller\n',
    caughtBy: ['guard §1'],
  },
  {
    name: 'a caller outlives its session',
    file: 'src/engine/session/sessions.ts',
    find: '    const ended = [...this.callersIn(id), id]\n',
    replace: '    const ended = [id]\n',
    caughtBy: ['locks §26', 'locks §29', 'liveness'],
  },
  {
    name: 'a wait that was given up goes on',
    file: 'src/engine/lock/cancellation.ts',
    find: '      if (group.calls.length === 0 && !group.isTold) this.giveBack(actor, asked)\n',
    replace: '',
    caughtBy: ['locks §10', 'liveness', 'I12'],
  },
  {
    name: 'a cancel that crosses its answer is passed over',
    file: 'src/face/socket/peer.ts',
    find: '    if (crossed?.call !== id) return\n',
    replace: '    if (crossed?.call !== id || id > 0) return\n',
    caughtBy: ['locks §10', 'I12'],
  },
  {
    name: 'a lock that was given up on its way is believed in',
    file: 'src/client/locking.ts',
    find: '    remember(this.gone, id, true)\n    this.call',
    replace: '    this.call',
    caughtBy: ['I12'],
  },
  {
    name: 'what the client has given up is kept',
    file: 'src/client/locking.ts',
    find: '      (id) => this.giveUp(id),\n',
    replace: '      () => {},\n',
    caughtBy: ['locks §30'],
  },
  {
    name: 'locks tell spellings of a name apart',
    file: 'src/contract/path.ts',
    find: '  return portable ? foldName(path) : path\n',
    replace: '  return path\n',
    caughtBy: ['I1', 'I4', 'model', 'linear'],
  },
  {
    name: 'a query tells of what is not stored',
    file: 'src/engine/stream/stream.ts',
    find: '        if (seen > this.durable) await this.settled(seen)\n',
    replace: '',
    caughtBy: ['I14', 'order'],
  },
  {
    name: 'a query goes around the one way to look',
    file: 'src/engine/perform.ts',
    find: 'await service.decider.stream.shown(() =>\n      handler.read(service.reader(call as never, stateOf), call),\n    )',
    replace: 'handler.read(service.reader(call as never, stateOf), call)',
    caughtBy: ['I14', 'order'],
  },
  {
    name: 'no role is asked for',
    file: 'src/core/decide.ts',
    find: '  if (hasRole(role, needed)) return undefined\n',
    replace: '  if (needed !== undefined) return undefined\n',
    caughtBy: ['roles'],
  },
  {
    name: 'a watch takes no look at rights',
    file: 'src/engine/audit/watch.ts',
    find: 'return mayHear(event, paths, actor, state) ? [shownEvent(event, paths)] : []',
    replace: 'return [shownEvent(event, paths)]',
    caughtBy: ['rights'],
  },
  {
    name: 'an event leaves as it is stored',
    file: 'src/contract/events.ts',
    find: '    ...eventRowOf(kind).show(event as never),\n',
    replace: '    ...event,\n    at: isoTime(at),\n',
    caughtBy: ['I11'],
  },
  {
    name: 'a release does not remember its request',
    file: 'src/core/step.ts',
    find: "if (!('requestId' in command) || command.requestId === undefined) return",
    replace:
      "if (draft.kind === 'lock-released' || !('requestId' in command) || command.requestId === undefined) return",
    caughtBy: ['I10'],
  },
  {
    name: 'a retry is remembered under nobody',
    file: 'src/core/apply.ts',
    find: 'remember(state, event.asker ?? event.session, event.requestId, event.revision)',
    replace: "remember(state, event.session + '?', event.requestId, event.revision)",
    caughtBy: ['I10', 'I13', 'I12', 'order', 'count'],
  },
]
