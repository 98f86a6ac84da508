/** The release; package.json says the same (a test compares them). */
export const VERSION = '0.1.0'

/**
 * The version of the contract: raised whenever a public schema changes. `contract.test.ts` pins the
 * hash of all public schemas and asks for a line here.
 *
 * 1  first contract: files, locks, sessions, agents, audit
 * 2  the whole lock manager: ranges, metadata keys, any of several, change, handover, asking, recall,
 *    drafts, lock delay, order of waiters as a setting, notices
 * 3  numbers and flags as text are read in one place (loose-reading.ts), no more field by field;
 *    list_locks goes on with a cursor; write_file takes if_exists; the code unsupported
 */
export const CONTRACT_VERSION = 3
