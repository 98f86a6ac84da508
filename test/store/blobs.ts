/** What every blobs adapter keeps to. See src/store/blobs.ts. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BlobMissing, type Blobs, ContentTooLarge } from '../../src/store/blobs.ts'

export interface BlobsAdapter {
  name: string
  /** Whether unfinished writes are stored apart, to be removed by `open`. */
  stages: boolean
  place(): Promise<BlobsPlace>
}

export interface BlobsPlace {
  /** A new instance over what is stored here. */
  blobs(): Blobs
  /** What writes that are not finished have stored, for adapters that stage. */
  staged?(): Promise<string[]>
  /** Leaves behind what a killed process would. */
  interrupt?(): Promise<void>
  remove(): Promise<void>
}

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const MIB = 1024 * 1024

export function blobsContract(adapter: BlobsAdapter): void {
  let place: BlobsPlace
  let blobs: Blobs

  beforeEach(async () => {
    place = await adapter.place()
    blobs = place.blobs()
    await blobs.open()
  })
  afterEach(() => place.remove())

  async function expectNothingStored() {
    expect(await gather(blobs.list())).toEqual([])
    expect((await place.staged?.()) ?? []).toEqual([])
  }

  writing()
  reading()
  failing()
  keeping()
  if (adapter.stages) staging()

  function writing() {
    test('content is stored under its SHA-256 with its size', async () => {
      expect(await blobs.write(chunks('hel', 'lo'), 5)).toEqual({ sha256: HELLO, size: 5 })
      expect(await blobs.size(HELLO)).toBe(5)
      expect(await text(blobs.read(HELLO, 0, 5))).toBe('hello')
    })

    test('empty content is content', async () => {
      expect(await blobs.write(chunks(), 0)).toEqual({ sha256: NOTHING, size: 0 })
      expect(await blobs.size(NOTHING)).toBe(0)
      expect(await text(blobs.read(NOTHING, 0, 0))).toBe('')
    })

    test('the same content written twice, and eight times at once, is stored once', async () => {
      await blobs.write(chunks('hello'), 100)
      await blobs.write(chunks('h', 'ello'), 100)
      const large = () => pattern(3)
      const facts = await Promise.all(
        Array.from({ length: 8 }, () => blobs.write(large(), 9 * MIB)),
      )
      expect(new Set(facts.map(({ sha256 }) => sha256)).size).toBe(1)
      expect((await gather(blobs.list())).sort()).toEqual([HELLO, facts[0]!.sha256].sort())
      expect((await place.staged?.()) ?? []).toEqual([])
    })

    test('memory that the source uses again does not alter what is stored', async () => {
      const memory = Buffer.from('hello')
      async function* reusing() {
        yield memory.subarray(0, 3)
        memory.write('lo')
        yield memory.subarray(0, 2)
      }
      const { sha256 } = await blobs.write(reusing(), 100)
      expect(sha256).toBe(HELLO)
      expect(await text(blobs.read(HELLO, 0, 5))).toBe('hello')
    })

    test('a stream of 50 MiB goes in and comes out, in pieces', async () => {
      const expected = createHash('sha256')
      for await (const chunk of pattern(50)) expected.update(chunk)
      const facts = await blobs.write(pattern(50), 50 * MIB)
      expect(facts.size).toBe(50 * MIB)
      const found = createHash('sha256')
      let largest = 0
      for await (const chunk of blobs.read(facts.sha256, 0, facts.size)) {
        found.update(chunk)
        largest = Math.max(largest, chunk.buffer.byteLength)
      }
      expect(found.digest('hex')).toBe(facts.sha256)
      expect(expected.digest('hex')).toBe(facts.sha256)
      expect(largest).toBeLessThanOrEqual(MIB)
    })
  }

  function reading() {
    test.each([
      [0, 11, 'hello world'],
      [0, 5, 'hello'],
      [6, 11, 'world'],
      [4, 5, 'o'],
      [5, 5, ''],
      [6, 5, ''],
      [6, 100, 'world'],
      [11, 100, ''],
      [50, 100, ''],
    ])('bytes %i to %i are those and no others', async (start, end, expected) => {
      const { sha256 } = await blobs.write(chunks('hello world'), 100)
      expect(await text(blobs.read(sha256, start, end))).toBe(expected)
    })

    test('a range across pieces is read right', async () => {
      const { sha256, size } = await blobs.write(pattern(2), 2 * MIB)
      const whole = await collect(blobs.read(sha256, 0, size))
      const part = await collect(blobs.read(sha256, 100_000, 1_500_001))
      expect(Buffer.compare(part, whole.subarray(100_000, 1_500_001))).toBe(0)
    })

    test('what was read can be altered without touching what is stored', async () => {
      await blobs.write(chunks('hello'), 100)
      for await (const chunk of blobs.read(HELLO, 0, 5)) chunk.fill(0)
      expect(await text(blobs.read(HELLO, 0, 5))).toBe('hello')
    })

    test('a read can be left early', async () => {
      const { sha256, size } = await blobs.write(pattern(2), 2 * MIB)
      for await (const _ of blobs.read(sha256, 0, size)) break
      await blobs.delete(sha256)
      expect(await blobs.size(sha256)).toBeUndefined()
    })

    test.each([
      ['that is not stored', HELLO],
      ['whose name is no hash', '../../etc/passwd'],
      ['whose name is too short', '2cf2'],
      ['whose name is empty', ''],
    ])('content %s is missing, has no size and can be deleted', async (_, sha256) => {
      await expect(collect(blobs.read(sha256, 0, 0))).rejects.toThrow(BlobMissing)
      await expect(collect(blobs.read(sha256, 0, 5))).rejects.toThrow(BlobMissing)
      expect(await blobs.size(sha256)).toBeUndefined()
      await blobs.delete(sha256)
    })
  }

  function failing() {
    test('content past the limit is refused, the source is closed and nothing stays', async () => {
      let isClosed = false
      async function* endless() {
        try {
          while (true) yield new Uint8Array(1000)
        } finally {
          isClosed = true
        }
      }
      const writing = blobs.write(endless(), 5000)
      await expect(writing).rejects.toThrow(ContentTooLarge)
      await expect(writing).rejects.toMatchObject({ limitBytes: 5000 })
      expect(isClosed).toBe(true)
      await expectNothingStored()
    })

    test('content of exactly the limit is stored', async () => {
      expect((await blobs.write(chunks('hel', 'lo'), 5)).size).toBe(5)
      await expect(blobs.write(chunks('hel', 'lo'), 4)).rejects.toThrow(ContentTooLarge)
    })

    test('a source that fails leaves nothing, and its error comes through', async () => {
      async function* broken() {
        yield new Uint8Array(100_000)
        throw new Error('the client hung up')
      }
      await expect(blobs.write(broken(), MIB)).rejects.toThrow('the client hung up')
      await expectNothingStored()
    })
  }

  function keeping() {
    test('contents are there after the store is opened again', async () => {
      await blobs.write(chunks('hello'), 100)
      blobs = place.blobs()
      await blobs.open()
      expect(await text(blobs.read(HELLO, 0, 5))).toBe('hello')
    })

    test('deleted content is gone, can be deleted again and can come back', async () => {
      await blobs.write(chunks('hello'), 100)
      await blobs.delete(HELLO)
      await blobs.delete(HELLO)
      expect(await blobs.size(HELLO)).toBeUndefined()
      expect(await gather(blobs.list())).toEqual([])
      await blobs.write(chunks('hello'), 100)
      expect(await text(blobs.read(HELLO, 0, 5))).toBe('hello')
    })

    test('the list has each content once', async () => {
      const written: string[] = []
      for (let i = 0; i < 50; i++) written.push((await blobs.write(chunks(`${i}`), 9)).sha256)
      expect((await gather(blobs.list())).sort()).toEqual(written.sort())
    })
  }

  function staging() {
    test('what an interrupted write left behind is gone after open', async () => {
      await blobs.write(chunks('hello'), 100)
      await place.interrupt!()
      expect(await place.staged?.()).toHaveLength(1)
      blobs = place.blobs()
      await blobs.open()
      expect(await place.staged?.()).toEqual([])
      expect(await blobs.size(HELLO)).toBe(5)
    })
  }
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of texts) yield Buffer.from(part)
}

/** Chunks of 64 KiB, each filled with another byte. */
async function* pattern(mebibytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < mebibytes * 16; i++) yield new Uint8Array(65_536).fill(i)
}

async function gather<T>(source: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = []
  for await (const each of source) gathered.push(each)
  return gathered
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await gather(source))
}

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  return (await collect(source)).toString()
}
