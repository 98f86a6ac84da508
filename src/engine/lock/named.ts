import type { OperationName } from '../../contract/operations.ts'
import type { State } from '../../core/state.ts'
import type { Call } from '../call.ts'

/** The number in an id such as L1042, T1050, A1060 or D1070. */
export function numberOf(id: string): number {
  return Number(id.slice(1))
}

/** The paths that a call is about: those it names, and those of the lock, ticket or question it names. */
export function pathsNamed({ input }: Call<OperationName>, state: State): string[] {
  const { path, items, changes, id, ticket, ask, draft } = input as Naming
  const listed = [...(items ?? []), ...(changes ?? [])].flatMap((one) =>
    one.to === undefined ? [one.path] : [one.path, one.to],
  )
  const { locks, tickets, byTicket, ended } = state.locks
  const lock = numbered(id, (number) => locks.get(number) ?? ended.get(number)?.lock)
  const waiting = numbered(ticket, (number) => tickets.get(number) ?? byTicket.get(number))
  const kept = numbered(draft, (number) => state.drafts.get(number))
  return [
    ...(path === undefined ? [] : [path]),
    ...listed,
    ...(lock?.items.map((item) => item.path) ?? []),
    ...(waiting?.items.map((item) => item.path) ?? []),
    ...(numbered(ask, (number) => state.asks.get(number))?.paths ?? []),
    ...(kept === undefined ? [] : [kept.path]),
  ]
}

function numbered<T>(id: string | undefined, find: (number: number) => T): T | undefined {
  return id === undefined ? undefined : find(numberOf(id))
}

interface Naming {
  path?: string
  items?: readonly { path: string; to?: string }[]
  changes?: readonly { path: string; to?: string }[]
  id?: string
  ticket?: string
  ask?: string
  draft?: string
}
