import { describe, expect, it } from 'vitest'
import { citedIn, pointsIn, rulesIn } from './citation.ts'

const PARTS = ['locks', 'files', 'guard', 'contract', 'allocation']
const locks = (...numbers: number[]) => numbers.map((number) => `locks §${number}`)

describe('names of tests', () => {
  it.each([
    ['locks §8, §42, I1: no broken invariant', ['locks §8', 'locks §42', 'I1']],
    ['I13, I14: after a crash', ['I13', 'I14']],
    ['locks §4, files §19: %j', ['locks §4', 'files §19']],
    ['A4+, files §9: a folder’s lock', ['A4', 'files §9']],
    ['E1 (SDK): never', ['E1']],
    ['locks §38–39: told, revoked', locks(38, 39)],
    ['locks §38-40 (HTTP): recall', locks(38, 39, 40)],
    ['locks §38–§39: both marked', locks(38, 39)],
    ['files §7–10: one by one', ['files §7', 'files §8', 'files §9', 'files §10']],
    ['locks §1, §37–41: notices', locks(1, 37, 38, 39, 40, 41)],
    ['locks §5, 9: no second mark', locks(5, 9)],
    ['locks §5, 7–9, files §1: and on', [...locks(5, 7, 8, 9), 'files §1']],
    ['locks §5 and §9: in words', locks(5, 9)],
    ['locks §2–4, I7–I9, I1: lists of both', [...locks(2, 3, 4), 'I7', 'I8', 'I9', 'I1']],
    ['I7–9: without the second letter', ['I7', 'I8', 'I9']],
    ['allocation §A24: a full disk', ['allocation §A24']],
    ['contract, locks §4: at every door', ['contract', 'locks §4']],
    ['contract: the page as a whole', ['contract']],
    ['A1–3, guard §2: cases too', ['A1', 'A2', 'A3', 'guard §2']],
  ])('%s', (name, found) => expect(rulesIn(name, PARTS)).toEqual(found))

  it.each([
    'A folder: listed',
    'lists folders',
    'locks say: no number',
    '§8: of no page',
    'people §3: of no page that is there',
    'files §14 takes 10,000 changes',
    'locks, files and more: no list of rules',
  ])('%s', (name) => expect(rulesIn(name, PARTS)).toEqual([]))
})

describe('texts', () => {
  const cited = (text: string) => citedIn(text, PARTS, 'locks')

  it('cite one by one, in ranges and in lists', () => {
    expect(cited('Who may change (files §8–10, locks §33). Each…')).toEqual([
      'files §8',
      'files §9',
      'files §10',
      'locks §33',
    ])
    expect(cited('what one reads (files §5, §9).')).toEqual(['files §5', 'files §9'])
    expect(cited('/** I1: none. I2–I4: more. */')).toEqual(['I1', 'I2', 'I3', 'I4'])
    expect(cited('`locks §1`, and as in §18; see (§20).')).toEqual(locks(1, 18, 20))
  })

  it('may leave the page out, and then mean the usual one', () => {
    expect(cited("broken('§42', 'waits')")).toEqual(locks(42))
    expect(citedIn('as §5 says', ['files'], 'files')).toEqual(['files §5'])
  })

  it('name pages that there are', () =>
    expect(cited('hand-offs (people §15)')).toEqual(['people §15']))

  it('cite other documents too', () => {
    expect(cited('RFC 9110 §13.1.1, and RFC 2104 §2')).toEqual([])
    expect(cited('of RFC 9110 §8.8.3, locks §5')).toEqual(locks(5))
    expect(cited('RFC 9110 §8, §13, locks §5, §6')).toEqual(locks(5, 6))
  })

  it('count numbers that are none', () => {
    expect(cited('files §14, 10,000 changes in I/O')).toEqual(['files §14'])
  })

  it('cite points of decisions', () => {
    expect(
      pointsIn('record 0008 no. 6–8, 12; decision 0009 no. 2 and 3').map(({ point }) => point),
    ).toEqual([6, 7, 8, 12, 2, 3])
  })
})
