/** What every ledger adapter keeps to. See src/store/ledger.ts. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chainHash, encodeAttachments, GENESIS, toHex } from '../../src/store/ledger/chain.ts'
import {
  type Batch,
  Fenced,
  type Ledger,
  LedgerBusy,
  LedgerDamaged,
  type StoredBatch,
} from '../../src/store/ledger.ts'

export interface LedgerAdapter {
  name: string
  /** What opening a ledger that is open elsewhere does. */
  secondOpen: 'fences' | 'is refused'
  /** Whether places can start a process, and one whose disk is full after some batches. */
  spansProcesses: boolean
  canFillDisk: boolean
  place(): Promise<LedgerPlace>
}

/** One stored ledger. */
export interface LedgerPlace {
  /** A new instance over what is stored here. */
  ledger(): Ledger
  /** Alters the stored batch that starts at `first`. Nothing may have the ledger open. */
  damage(what: Damage, first: number): Promise<void>
  /** Runs ledger-child.ts on this ledger; for adapters that span processes. */
  process?(command: 'hold' | 'append'): Promise<ChildProcessWithoutNullStreams>
  /** The same with a disk that is full after some batches. */
  processOnFullDisk?(command: 'append'): Promise<ChildProcessWithoutNullStreams>
  remove(): Promise<void>
}

export type Damage = 'payload' | 'attachments' | 'hash' | 'bounds' | 'missing'

const CONTENT = {
  sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
  bytes: new TextEncoder().encode('hello'),
}
const EMPTY_CONTENT = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  bytes: new Uint8Array(0),
}

export function ledgerContract(adapter: LedgerAdapter): void {
  let place: LedgerPlace
  let ledger: Ledger
  let epoch: number

  beforeEach(async () => {
    place = await adapter.place()
    ledger = place.ledger()
    epoch = (await ledger.open()).epoch
  })
  afterEach(async () => {
    await ledger.close()
    await place.remove()
  })

  async function reopen() {
    await ledger.close()
    ledger = place.ledger()
    const head = await ledger.open()
    epoch = head.epoch
    return head
  }
  /** Batches 1–2, 3–4, 5–6 and so on. */
  async function appendPairs(count: number) {
    for (let first = 1; first < 2 * count; first += 2) {
      await ledger.append(epoch, first - 1, batch(first, first + 1))
    }
  }

  appending()
  reading()
  owning()
  noticingDamage()
  trimming()
  if (adapter.spansProcesses) spanningProcesses()
  if (adapter.canFillDisk) fillingTheDisk()

  function appending() {
    test('a new ledger stands at revision 0 and epoch 1', async () => {
      expect(epoch).toBe(1)
      expect(await reopen()).toEqual({ epoch: 2, revision: 0, oldest: 1 })
      expect(await all(ledger.read(1))).toEqual([])
    })

    test('what was appended is there, whole and in order, after a reopen', async () => {
      await ledger.append(epoch, 0, batch(1, 1, [CONTENT, EMPTY_CONTENT]))
      await ledger.append(epoch, 1, batch(2, 5))
      expect(await reopen()).toEqual({ epoch: 2, revision: 5, oldest: 1 })
      const stored = await all(ledger.read(1))
      expect(stored.map(plain)).toEqual([
        plain(batch(1, 1, [CONTENT, EMPTY_CONTENT])),
        plain(batch(2, 5)),
      ])
    })

    test('the hash of each batch covers the one before, its revisions and what it holds', async () => {
      await ledger.append(epoch, 0, batch(1, 2, [CONTENT]))
      await ledger.append(epoch, 2, batch(3, 3))
      const first = chainHash(GENESIS.hash, {
        ...batch(1, 2),
        attachments: encodeAttachments([CONTENT]),
      })
      const second = chainHash(first, { ...batch(3, 3), attachments: new Uint8Array(0) })
      const hashes = (await all(ledger.read(1))).map(({ hash }) => hash)
      expect(hashes).toEqual([toHex(first), toHex(second)])
    })

    test('an empty payload is stored as it is', async () => {
      const empty = { first: 1, last: 1, payload: new Uint8Array(0), attachments: [] }
      await ledger.append(epoch, 0, empty)
      await reopen()
      expect((await all(ledger.read(1)))[0]?.payload).toEqual(new Uint8Array(0))
    })

    test('a payload that shares memory with others is stored alone and left as it was', async () => {
      const shared = Buffer.alloc(100, 7)
      const payload = shared.subarray(10, 20)
      await ledger.append(epoch, 0, { first: 1, last: 1, payload, attachments: [] })
      expect(shared).toEqual(Buffer.alloc(100, 7))
      shared.fill(0)
      expect((await all(ledger.read(1)))[0]?.payload).toEqual(new Uint8Array(10).fill(7))
    })

    test('attachments are still the caller’s after the append', async () => {
      const bytes = new Uint8Array([1, 2, 3])
      await ledger.append(epoch, 0, batch(1, 1, [{ sha256: CONTENT.sha256, bytes }]))
      expect(bytes).toEqual(new Uint8Array([1, 2, 3]))
    })

    test('a batch of 20 MB with a thousand attachments comes back', async () => {
      const attachments = Array.from({ length: 1000 }, (_, i) => ({
        sha256: i.toString(16).padStart(64, '0'),
        bytes: new Uint8Array(10_000).fill(i),
      }))
      const payload = new Uint8Array(10_000_000).fill(9)
      await ledger.append(epoch, 0, { first: 1, last: 5000, payload, attachments })
      await reopen()
      const [stored] = await all(ledger.read(1))
      expect(stored?.attachments.length).toBe(1000)
      expect(Buffer.compare(stored!.payload, new Uint8Array(10_000_000).fill(9))).toBe(0)
      expect(Buffer.compare(stored!.attachments[999]!.bytes, attachments[999]!.bytes)).toBe(0)
    })

    test('appends that do not wait for each other are stored in the order they were made', async () => {
      const revisions = Array.from({ length: 200 }, (_, i) => i + 1)
      const settled: number[] = []
      await Promise.all(
        revisions.map(async (revision) => {
          await ledger.append(epoch, revision - 1, batch(revision, revision))
          settled.push(revision)
        }),
      )
      expect(settled).toEqual(revisions)
      expect((await all(ledger.read(1))).map(({ first }) => first)).toEqual(revisions)
    })

    test.each([
      ['leaves a gap', 3, 4, 4],
      ['overlaps', 1, 2, 2],
      ['does not start after the revision it names', 2, 4, 4],
      ['ends before it starts', 2, 3, 2],
    ])('a batch that %s is refused and nothing is stored', async (_, after, first, last) => {
      await ledger.append(epoch, 0, batch(1, 2))
      await expect(ledger.append(epoch, after, batch(first, last))).rejects.toThrow(RangeError)
      expect(await all(ledger.read(1))).toHaveLength(1)
      await ledger.append(epoch, 2, batch(3, 3))
      expect((await reopen()).revision).toBe(3)
    })

    test('a ledger that is closed refuses to append, read and trim', async () => {
      await ledger.close()
      await expect(ledger.append(epoch, 0, batch(1, 1))).rejects.toThrow('not open')
      await expect(all(ledger.read(1))).rejects.toThrow('not open')
      await expect(ledger.trim(1)).rejects.toThrow('not open')
    })

    test('closing waits for the appends that were made before', async () => {
      const appended = ledger.append(epoch, 0, batch(1, 1))
      await ledger.close()
      await appended
      expect((await reopen()).revision).toBe(1)
    })

    test('an instance can be opened again after it was closed', async () => {
      await ledger.append(epoch, 0, batch(1, 1))
      await ledger.close()
      expect(await ledger.open()).toEqual({ epoch: 2, revision: 1, oldest: 1 })
    })
  }

  function reading() {
    test.each([
      ['from the middle of a batch', 4, undefined, [3, 5, 7, 9]],
      ['from the start of a batch', 5, undefined, [5, 7, 9]],
      ['to the middle of a batch', 1, 3, [1, 3]],
      ['of one revision', 6, 6, [5]],
      ['past the end', 9, 1000, [9]],
      ['that starts after the end', 11, undefined, []],
      ['that ends before it starts', 6, 5, []],
    ])('a read %s yields the batches that hold it', async (_, from, to, firsts) => {
      await appendPairs(5)
      expect((await all(ledger.read(from, to))).map(({ first }) => first)).toEqual(firsts)
    })

    test('a read of a thousand batches yields each of them once', async () => {
      await Promise.all(range(1, 1000).map((r) => ledger.append(epoch, r - 1, batch(r, r))))
      expect((await all(ledger.read(1))).map(({ first }) => first)).toEqual(range(1, 1000))
      expect((await all(ledger.read(500, 700))).map(({ first }) => first)).toEqual(range(500, 700))
    })

    test('a read that is left early leaves the ledger usable', async () => {
      await Promise.all(range(1, 200).map((r) => ledger.append(epoch, r - 1, batch(r, r))))
      for await (const _ of ledger.read(1)) break
      await ledger.append(epoch, 200, batch(201, 201))
      expect((await reopen()).revision).toBe(201)
    })

    test('a read sees nothing that is appended after it began', async () => {
      await appendPairs(2)
      const firsts: number[] = []
      for await (const { first } of ledger.read(1)) {
        if (firsts.length === 0) await ledger.append(epoch, 4, batch(5, 5))
        firsts.push(first)
      }
      expect(firsts).toEqual([1, 3])
    })
  }

  function owning() {
    test('each open raises the epoch by one', async () => {
      expect((await reopen()).epoch).toBe(2)
      expect((await reopen()).epoch).toBe(3)
    })

    test('an append under an older epoch is fenced and stores nothing', async () => {
      await ledger.append(epoch, 0, batch(1, 1))
      await reopen()
      await expect(ledger.append(epoch - 1, 1, batch(2, 2))).rejects.toThrow(Fenced)
      expect(await all(ledger.read(1))).toHaveLength(1)
    })

    test(`opening a ledger that is open ${adapter.secondOpen}`, async () => {
      await ledger.append(epoch, 0, batch(1, 1))
      const second = place.ledger()
      if (adapter.secondOpen === 'is refused') {
        await expect(second.open()).rejects.toThrow(LedgerBusy)
        await ledger.append(epoch, 1, batch(2, 2))
        return
      }
      const head = await second.open()
      await expect(ledger.append(epoch, 1, batch(2, 2))).rejects.toThrow(Fenced)
      await expect(ledger.trim(2)).rejects.toThrow(Fenced)
      await second.append(head.epoch, 1, batch(2, 2))
      expect(await all(second.read(1))).toHaveLength(2)
      await second.close()
    })
  }

  function noticingDamage() {
    test.each<[Damage, number]>([
      ['payload', 5],
      ['attachments', 5],
      ['hash', 5],
      ['bounds', 5],
      ['missing', 5],
    ])('damage (%s) in the middle is named with its revision and not skipped', async (what, at) => {
      for (let first = 1; first < 60; first += 2) {
        await ledger.append(epoch, first - 1, batch(first, first + 1, [CONTENT]))
      }
      await ledger.close()
      await place.damage(what, at)
      await ledger.open()
      const seen: number[] = []
      const reading = (async () => {
        for await (const { first } of ledger.read(1)) seen.push(first)
      })()
      await expect(reading).rejects.toThrow(LedgerDamaged)
      await expect(reading).rejects.toMatchObject({ revision: at })
      expect(seen.every((first) => first < at)).toBe(true)
    })

    test.each<[Damage]>([['payload'], ['attachments'], ['hash'], ['bounds']])(
      'damage (%s) in the last batch is found by open, which leaves all as it was',
      async (what) => {
        for (let first = 1; first < 10; first += 2) {
          await ledger.append(epoch, first - 1, batch(first, first + 1, [CONTENT]))
        }
        await ledger.close()
        await place.damage(what, 9)
        await expect(ledger.open()).rejects.toMatchObject({ name: 'LedgerDamaged', revision: 9 })
        await expect(ledger.open()).rejects.toThrow('Nothing was changed')
        // The bit that was flipped is flipped back, so that the epoch can be seen.
        if (what === 'bounds') return
        await place.damage(what, 9)
        expect(await ledger.open()).toEqual({ epoch: 2, revision: 10, oldest: 1 })
      },
    )

    test('a missing first batch is found by open', async () => {
      await appendPairs(30)
      await ledger.close()
      await place.damage('missing', 1)
      await expect(ledger.open()).rejects.toMatchObject({ name: 'LedgerDamaged', revision: 1 })
    })

    test('damage is found by a read that starts at it', async () => {
      await appendPairs(30)
      await ledger.close()
      await place.damage('missing', 21)
      await ledger.open()
      await expect(all(ledger.read(21))).rejects.toMatchObject({ revision: 21 })
      await expect(all(ledger.read(22, 22))).rejects.toMatchObject({ revision: 21 })
      expect(await all(ledger.read(25, 26))).toHaveLength(1)
    })
  }

  function trimming() {
    test('a trim forgets whole batches only, and the rest still adds up', async () => {
      await appendPairs(5)
      await ledger.trim(6)
      expect((await all(ledger.read(1))).map(({ first }) => first)).toEqual([5, 7, 9])
      expect(await reopen()).toEqual({ epoch: 2, revision: 10, oldest: 5 })
      expect((await all(ledger.read(1))).map(({ first }) => first)).toEqual([5, 7, 9])
      await ledger.append(epoch, 10, batch(11, 11))
      expect((await all(ledger.read(9))).map(({ first }) => first)).toEqual([9, 11])
    })

    test('a ledger that was trimmed to nothing goes on from its revision', async () => {
      await appendPairs(2)
      await ledger.trim(1000)
      expect(await reopen()).toEqual({ epoch: 2, revision: 4, oldest: 5 })
      await ledger.append(epoch, 4, batch(5, 5))
      await reopen()
      expect((await all(ledger.read(1))).map(({ first }) => first)).toEqual([5])
    })

    test('a trim that ends before the oldest batch changes nothing', async () => {
      await appendPairs(3)
      await ledger.trim(4)
      await ledger.trim(2)
      await ledger.trim(0)
      expect(await reopen()).toEqual({ epoch: 2, revision: 6, oldest: 3 })
    })

    test('a trim of thousands of batches forgets them all', async () => {
      await Promise.all(range(1, 2500).map((r) => ledger.append(epoch, r - 1, batch(r, r))))
      await ledger.trim(2400)
      expect(await reopen()).toEqual({ epoch: 2, revision: 2500, oldest: 2400 })
    })

    test('the batch after a trim is still checked against what was forgotten', async () => {
      await appendPairs(30)
      await ledger.trim(5)
      await ledger.close()
      await place.damage('missing', 5)
      await expect(ledger.open()).rejects.toMatchObject({ name: 'LedgerDamaged', revision: 5 })
    })

    test('a read that is overtaken by a trim fails rather than leave something out', async () => {
      await Promise.all(range(1, 1000).map((r) => ledger.append(epoch, r - 1, batch(r, r))))
      const reading = (async () => {
        for await (const { first } of ledger.read(1)) if (first === 1) await ledger.trim(900)
      })()
      await expect(reading).rejects.toThrow('was trimmed while it was being read')
    })
  }

  function spanningProcesses() {
    test('a ledger that another process holds is busy until that process is gone', async () => {
      await ledger.close()
      const child = await place.process!('hold')
      await once(child.stdout, 'data')
      const started = performance.now()
      await expect(ledger.open()).rejects.toThrow(LedgerBusy)
      expect(performance.now() - started).toBeLessThan(2000)
      child.kill('SIGKILL')
      await once(child, 'exit')
      expect((await ledger.open()).epoch).toBe(3)
    })

    test('what was acknowledged survives the death of the process', async () => {
      await ledger.close()
      const child = await place.process!('append')
      let acknowledged = 0
      for await (const line of createInterface(child.stdout)) {
        acknowledged = Number(line)
        if (acknowledged === 50) child.kill('SIGKILL')
      }
      const { revision } = await ledger.open()
      expect(revision).toBeGreaterThanOrEqual(acknowledged)
      expect(await all(ledger.read(1))).toHaveLength(revision)
    })
  }

  function fillingTheDisk() {
    test('on a full disk every waiting append rejects, and none of them is stored', async () => {
      await ledger.close()
      const child = await place.processOnFullDisk!('append')
      const lines: string[] = []
      for await (const line of createInterface(child.stdout)) lines.push(line)
      const { revision } = await ledger.open()
      const acknowledged = lines.slice(1, -1).map(Number)
      expect(lines.at(-1)).toMatch(/^rejected [1-4]$/)
      expect(acknowledged).toEqual(range(1, revision))
      expect(revision).toBeGreaterThan(4)
    })
  }
}

function batch(first: number, last: number, attachments: Batch['attachments'] = []): Batch {
  return { first, last, payload: new TextEncoder().encode(`events ${first}`), attachments }
}

/** Without the hash, and with bytes as plain arrays, whatever class they have. */
function plain({ first, last, payload, attachments }: Batch) {
  const contents = attachments.map(({ sha256, bytes }) => ({ sha256, bytes: [...bytes] }))
  return { first, last, payload: [...payload], attachments: contents }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

async function all(source: AsyncIterable<StoredBatch>): Promise<StoredBatch[]> {
  const stored: StoredBatch[] = []
  for await (const each of source) stored.push(each)
  return stored
}
