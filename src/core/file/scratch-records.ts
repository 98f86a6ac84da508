import type { Records } from './entry.ts'

/** Records with changes on top that are never written: how a decision looks ahead. */
export function scratchOf(records: Records): Records {
  const changed = new Map<string, unknown>()
  return {
    get(table, key) {
      const own = `${table} ${key}`
      return changed.has(own) ? changed.get(own) : records.get(table, key)
    },
    put(table, key, value) {
      changed.set(`${table} ${key}`, value)
    },
    range(table, from, to, limit) {
      const rows = new Map(records.range(table, from, to, limit + changed.size))
      for (const [own, value] of changed) {
        const key = own.slice(table.length + 1)
        if (own.startsWith(`${table} `) && key >= from && key < to) rows.set(key, value)
      }
      return [...rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).slice(0, limit)
    },
  }
}
