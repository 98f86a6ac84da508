import type { Notice } from '../../contract/door.ts'
import type { Output } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { isoTime } from '../../contract/time.ts'
import { positionOf } from '../../core/lock/describe.ts'
import { draftFacts } from '../file/draft-facts.ts'
import type { Reader } from '../handler.ts'
import { lockFacts } from '../lock/lock-answers.ts'
import type { WorkingTree } from '../working-tree.ts'
import { isCurrent } from './notice.ts'
import type { NoticeBoard } from './notice-board.ts'

/** What concerns one caller of a workspace. */
/** @param storedTo the last durable revision: records of refusals may be on their way beyond it */
export function workspaceStatus(
  reader: Reader,
  board: NoticeBoard,
  storedTo: number,
  tree: WorkingTree | undefined,
): Output<'workspace_status'> {
  const { state, actor, moment } = reader
  const owner = state.locks.owners.get(actor.session)
  return {
    workspace: state.workspace,
    agent: actor.agent,
    session: actor.session,
    role: actor.role,
    revision: storedTo,
    locks: [...(owner?.locks ?? [])].map((lock) => lockFacts(lock, moment)),
    tickets: [...(owner?.tickets ?? [])].map((ticket) => ({
      ticket: `T${ticket.id}`,
      paths: ticket.items.map((item) => item.path),
      position: positionOf(ticket),
    })),
    rights: [...actor.rights],
    totals: { locks: state.locks.locks.size, waiting: state.locks.tickets.size },
    messages: messagesFor(reader, board),
    drafts: [...state.drafts.values()]
      .filter((one) => one.session === actor.session)
      .map(draftFacts),
    ...optional('folder', tree?.report()),
    server_time: isoTime(moment.at),
  }
}

/** What was said lately and is not over, and of what still stands what a restart made forget. */
function messagesFor({ state, actor }: Reader, board: NoticeBoard): Notice[] {
  board.take(actor.session, state.workspace)
  const messages = board
    .recent(actor.session, state.workspace)
    .filter((notice) => isCurrent(notice, actor.session, state))
  for (const ask of state.asks.values()) {
    const isOpen = ask.to.session === actor.session && ask.answer === undefined
    const id = `A${ask.id}`
    if (!isOpen || messages.some((one) => one.ask === id)) continue
    messages.push({
      kind: 'asked',
      text: `${ask.from.session} asks about your lock L${ask.lock} on ${ask.paths.join(', ')}: "${ask.message}".`,
      at: isoTime(ask.at),
      lock: `L${ask.lock}`,
      paths: ask.paths,
      from: ask.from,
      ask: id,
    })
  }
  return messages
}
