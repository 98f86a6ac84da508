import { DEFAULT_SETTINGS, type Event, type EventKind, type EventOf } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import { optional } from '../contract/optional.ts'
import { directoryFolds } from './agent/directory.ts'
import { BoundedMap } from './bounded-map.ts'
import { applyChange, applyKept } from './file/apply-change.ts'
import { lockFolds, moveRanges } from './lock/apply.ts'
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
  // First, so that the end of a session takes its own answer along.
  if (event.requestId !== undefined) {
    remember(state, event.asker ?? event.session, event.requestId, event.revision)
  }
  const fold = MEMORY[event.kind] as (state: State, event: Event) => void
  fold(state, event)
}

export function applyRecords(state: State, event: Event): void {
  if (event.kind === 'contents-kept') {
    for (const kept of event.files) {
      applyKept(state.records, kept, state.settings.portable_names)
    }
  }
  if (event.kind !== 'files-committed') return
  for (const change of event.changes) {
    applyChange(state.records, change, event, event, state.settings.portable_names)
  }
}

/** What each kind does to what lives in memory. */
const MEMORY: { readonly [K in EventKind]: (state: State, event: EventOf<K>) => void } = {
  ...lockFolds,
  ...directoryFolds,
  'workspace-set': (state, { settings }) => {
    // Ledgers of earlier releases know fewer settings.
    state.settings = { ...DEFAULT_SETTINGS, ...settings }
    state.locks.portable = state.settings.portable_names
  },
  'files-committed': (state, { changes, session }) => {
    for (const change of changes) {
      if ('id' in change && change.id >= state.nextFileId) state.nextFileId = change.id + 1
      if ('splice' in change && change.splice !== undefined) {
        moveRanges(state.locks, change.path, change.splice, session)
      }
    }
  },
  'contents-kept': () => {},
  'holder-asked': (state, { revision: id, lock, agent, session, to, paths, message, at }) => {
    const from = { agent, session }
    state.asks.set(id, { id, lock, from, to, paths, message, at, answer: undefined })
  },
  'ask-answered': (state, { ask: id, answer, estimateS, message }) => {
    const ask = state.asks.get(id)
    const said = { answer, ...optional('estimateS', estimateS), ...optional('message', message) }
    if (ask !== undefined) ask.answer = said
  },
  'draft-kept': (state, event) => {
    const { revision: id, agent, session, at, path, lock, base, sha256, size, until } = event
    state.drafts.set(id, { id, agent, session, at, path, lock, base, sha256, size, until })
  },
  'draft-dropped': (state, { draft }) => {
    state.drafts.delete(draft)
  },
  'command-refused': (state, { session, requestIds, revision }) => {
    for (const id of requestIds ?? []) remember(state, session, id, revision)
  },
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
