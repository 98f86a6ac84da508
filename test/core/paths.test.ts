import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath, isWithin, parentPath } from '../../src/contract/path.ts'
import { isoTime } from '../../src/contract/time.ts'

const good: [string, string][] = [
  ['/', '/'],
  ['a', '/a'],
  ['/a/', '/a'],
  ['//a///b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/x/../b', '/a/b'],
  ['/a..b/...', '/a..b/...'],
  ['/Ångström', '/Ångström'.normalize('NFC')],
  ['/A\u030angstrom', '/Ångstrom'.normalize('NFC')],
  ['/with space/and%20percent', '/with space/and%20percent'],
  ['/a~b/~draft.md/backup~', '/a~b/~draft.md/backup~'],
  ['/12:30/a:b', '/12:30/a:b'],
  ['/文件/😀', '/文件/😀'],
]

const bad: [string, RegExp][] = [
  ['/back\\slash', /write "\/back\/slash"/],
  ['', /empty/],
  ['..', /leaves the root/],
  ['/a/../../b', /leaves the root/],
  ['/a\u0000b', /NUL/],
  ['/a\nb', /control/],
  ['/a\u007f', /control/],
  ['/\ud800', /surrogate/],
  [`/${'x'.repeat(256)}`, /255 bytes/],
  [`/${'é'.repeat(128)}`, /255 bytes/],
  ['/abc'.repeat(1025), /4096 bytes/],
]

describe('paths', () => {
  it.each(good)('locks §4, files §19: %j becomes %j', (input, path) => {
    expect(canonicalPath(input)).toEqual({ ok: true, path })
  })

  it.each(bad)('files §19: %j is refused, and says why', (input, why) => {
    const result = canonicalPath(input)
    expect(result.ok).toBe(false)
    if (!result.ok) expect(result.fault).toMatch(why)
  })

  it('files §19: what is canonical stays as it is, and never leaves the root', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (input) => {
        const once = canonicalPath(input)
        if (!once.ok) return
        expect(canonicalPath(once.path)).toEqual(once)
        expect(once.path.startsWith('/')).toBe(true)
        expect(once.path.split('/').some((name) => name === '..' || name === '.')).toBe(false)
        expect(isWithin(parentPath(once.path), once.path)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('times', () => {
  it('print as ISO 8601 does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        expect(isoTime(ms)).toBe(new Date(ms).toISOString())
      }),
    )
  })
})
