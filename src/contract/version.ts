/** The release; package.json says the same (a test compares them). */
export const VERSION = '0.1.0'

/**
 * The version of the contract: raised whenever a public schema changes. `contract.test.ts` pins the
 * hash of all public schemas and asks for a line here.
 *
 * 1  first contract: files, locks, sessions, agents, audit
 * 2  the whole lock manager: ranges, metadata keys, any of several, change, handover, asking, recall,
 *    drafts, lock delay, order of waiters as a setting, notices
 * 3  callers of one session by name (as, tokens as proof, what a holder has to read, locks taken back);
 *    text read by lines at the server (read_text), what an edit or write left unchanged, where a text
 *    to replace stands; numbers and flags as text are read in one place (loose-reading.ts); list_locks
 *    goes on with a cursor; write_file takes if_exists; list_groups, rights in force; unsupported; a lock
 *    made weaker keeps its request id
 * 4  every command takes a request id; events have one shown form at every door (seconds, ISO 8601, ids
 *    as L1042); refusals stand in the audit under the operation that was called
 */
export const CONTRACT_VERSION = 4
