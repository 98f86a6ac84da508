import { DEFAULT_SETTINGS, type Event } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import { optional } from '../contract/optional.ts'
import { applyDirectory } from './agent/directory.ts'
import { BoundedMap } from './bounded-map.ts'
import { applyChange } from './file/change.ts'
import { applyLock, moveRanges } from './lock/apply.ts'
import type { State } from './state.ts'

/**
 * The fold: one fact changes the state, and cannot fail. Two halves that do not read each other, so
 * that each can be replayed from its own revision: `applyMemory` for what lives in memory, and
 * `applyRecords` for what lies in the tables.
 */
export function apply(state: State, event: Event): void {
  applyMemory(state, event)
  applyRecords(state, event)
}

export function applyMemory(state: State, event: Event): void {
  state.revision = event.revision
  state.at = event.at
  switch (event.kind) {
    case 'workspace-set':
      // Ledgers of earlier releases know fewer settings.
      state.settings = { ...DEFAULT_SETTINGS, ...event.settings }
      state.locks.portable = state.settings.portable_names
      break
    case 'files-committed':
      for (const change of event.changes) {
        if ('id' in change && change.id >= state.nextFileId) state.nextFileId = change.id + 1
        if ('splice' in change && change.splice !== undefined) {
          moveRanges(state.locks, change.path, change.splice, event.session)
        }
      }
      break
    case 'holder-asked': {
      const { revision, lock, agent, session, to, paths, message, at } = event
      const from = { agent, session }
      state.asks.set(revision, {
        id: revision,
        lock,
        from,
        to,
        paths,
        message,
        at,
        answer: undefined,
      })
      break
    }
    case 'ask-answered': {
      const ask = state.asks.get(event.ask)
      const { answer, estimateS, message } = event
      const said = { answer, ...optional('estimateS', estimateS), ...optional('message', message) }
      if (ask !== undefined) ask.answer = said
      break
    }
    case 'draft-kept': {
      const {
        revision,
        kind: _,
        requestId: __,
        ...draft
      } = event as typeof event & {
        requestId?: string
      }
      state.drafts.set(revision, { ...draft, id: revision })
      break
    }
    case 'draft-dropped':
      state.drafts.delete(event.draft)
      break
    case 'session-ended':
      state.locks.owners.delete(event.id)
      state.answers.delete(event.id)
      applyDirectory(state.directory, event)
      break
    case 'command-refused':
      for (const id of event.requestIds ?? []) remember(state, event.session, id, event.revision)
      break
    default:
      if (!applyLock(state, event)) applyDirectory(state.directory, event)
  }
  if ('requestId' in event && event.requestId !== undefined) {
    remember(state, event.session, event.requestId, event.revision)
  }
}

export function applyRecords(state: State, event: Event): void {
  if (event.kind !== 'files-committed') return
  for (const change of event.changes) {
    applyChange(state.records, change, event, event, state.settings.portable_names)
  }
}

/** locks §11: the last answers of each session; fewer each when very many sessions have some. */
function remember(state: State, session: string, requestId: string, revision: number): void {
  let answers = state.answers.get(session)
  if (answers === undefined) {
    answers = new BoundedMap(LIMITS.answersPerSession)
    state.answers.set(session, answers)
  }
  answers.limit =
    state.answers.size > 1000 ? LIMITS.answersPerSessionWhenMany : LIMITS.answersPerSession
  answers.set(requestId, revision)
}
