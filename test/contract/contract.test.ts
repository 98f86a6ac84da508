import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/contract/errors.ts'
import { EVENT_KINDS } from '../../src/contract/events.ts'
import { OPERATION_NAMES, operationOf } from '../../src/contract/operations.ts'
import { CONTRACT_VERSION } from '../../src/contract/version.ts'
import { hashOfSchemas } from './public-schemas.ts'

/**
 * Pins of what others build on. The literals stand here and are never computed from the source: a
 * change of a public schema fails, and asks for a new contract version with its line of history.
 */
const PINNED = { version: 4, hash: 'c56287874b6c6fc3' }

/** Frozen for ever: ledgers hold these numbers. */
const EVENT_NUMBERS = {
  'workspace-set': 1,
  'lock-acquired': 20,
  'lock-queued': 21,
  'lock-released': 22,
  'ticket-left': 23,
  'lock-raised': 24,
  'ticket-moved': 25,
  'lock-lowered': 26,
  'lock-recalled': 27,
  'recall-extended': 28,
  'recall-ended': 29,
  'lock-handed-over': 31,
  'lock-opened': 32,
  'holder-asked': 33,
  'ask-answered': 34,
  'draft-kept': 35,
  'draft-dropped': 36,
  'contents-kept': 37,
  'lock-bypassed': 38,
  'files-committed': 30,
  'command-refused': 40,
  'session-opened': 50,
  'session-ended': 51,
  'agent-set': 52,
  'agent-removed': 53,
  'token-created': 54,
  'tokens-revoked': 55,
  'group-set': 56,
  'workspace-made': 57,
  'workspace-removed': 58,
}

describe('the contract', () => {
  it('contract §2: public schemas change only with the contract version', () => {
    expect(
      { version: CONTRACT_VERSION, hash: hashOfSchemas() },
      'a public schema changed: raise CONTRACT_VERSION, add its line of history, pin the new hash',
    ).toEqual(PINNED)
  })

  it('contract §2: event numbers are frozen and never reused', () => {
    const numbers = Object.fromEntries(
      Object.entries(EVENT_KINDS).map(([kind, row]) => [kind, row.number]),
    )
    expect(numbers).toEqual(EVENT_NUMBERS)
    expect(new Set(Object.values(numbers)).size).toBe(Object.keys(numbers).length)
  })

  it('contract §7: every error has a status, a retry, a title and an exit code that is not success', () => {
    for (const [code, row] of Object.entries(ERRORS)) {
      expect(row.status, code).toBeGreaterThanOrEqual(400)
      expect(row.exit, code).toBeGreaterThan(0)
      expect(row.title.length, code).toBeGreaterThan(5)
    }
  })

  it('contract §2: operations name only errors of the catalog, and one route each', () => {
    const routes = new Set<string>()
    for (const name of OPERATION_NAMES) {
      const { errors, http } = operationOf(name)
      expect(
        errors.every((code) => code in ERRORS),
        name,
      ).toBe(true)
      const route = `${http.method} ${http.path}`
      expect(routes.has(route), route).toBe(false)
      routes.add(route)
    }
  })
})
