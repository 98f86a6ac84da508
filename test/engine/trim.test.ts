import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/engine/stream/snapshot.ts'
import { Fenced, type Ledger, LedgerBusy } from '../../src/store/ledger.ts'
import { EngineWorld, settle } from './world.ts'

describe('a trimmed ledger', () => {
  it('I13: contents, locks, answers and versions are there after a start on what is left', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f', request_id: 'w' }, 'one\n')
    await world.call('ann', 'patch_file', { path: '/f', append: 'two\n' })
    const held = await world.lock('ann', '/held')
    await world.call('bob', 'acquire_lock', { path: '/held', queue: true })
    const { stream } = of(world)
    await stream.trim(stream.durable + 1)
    expect(world.ledgers.get('main')?.rows).toEqual([])
    await world.call('ann', 'write_file', { path: '/after' }, 'later')
    await world.crash()
    expect(await world.text('ann', '/f')).toBe('one\ntwo\n')
    expect(await world.text('ann', '/f', 1)).toBe('one\n')
    const { locks, waiting } = await world.call('ann', 'list_locks', {})
    expect(locks.map(({ id }) => id)).toEqual([held.lock.id])
    expect(waiting).toHaveLength(1)
    expect(await world.text('ann', '/after')).toBe('later')
    // What answered is known to have answered; what it said is in a fact that is gone.
    const again = world.call('ann', 'write_file', { path: '/f', request_id: 'w' }, 'one\n')
    expect(await world.code(again)).toBe('compacted')
  })

  it('locks §43: a watch from before it is told that it is compacted', async () => {
    const world = await EngineWorld.start()
    for (const path of ['/a', '/b']) await world.call('ann', 'write_file', { path }, 'x')
    const { stream } = of(world)
    await stream.trim(stream.durable + 1)
    await world.call('ann', 'write_file', { path: '/c' }, 'x')
    const signal = new AbortController().signal
    const query = { workspace: 'main', since: 0, signal }
    const watch = world.engine.watch(await world.caller('ann'), query)
    const first = watch[Symbol.asyncIterator]().next()
    expect(await world.code(first)).toBe('compacted')
  })

  it('facts that the tables have not got stay', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\n')
    const { stream } = of(world)
    const tables = stream.overlay as unknown as { tables: { write(): void } }
    const { write } = tables.tables
    tables.tables.write = () => {
      throw new Error('no room')
    }
    await expect(stream.trim(stream.durable + 1)).rejects.toThrow('took no writes')
    tables.tables.write = write
    expect(world.ledgers.get('main')?.rows.length).toBeGreaterThan(0)
    await world.crash()
    expect(await world.text('ann', '/f')).toBe('one\n')
  })

  it('a snapshot of a newer release is passed over while every fact is there, else refused', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\n')
    const { stream } = of(world)
    await stream.trim(0)
    const tables = world.tables.get('main')
    if (tables === undefined) throw new Error('no tables')
    const newer = { ...takeSnapshot(stream.state), format: 99 }
    const put = () => {
      stream.overlay.put('state', 'snapshot', newer)
      stream.overlay.freeze(stream.durable)
      while (stream.overlay.writeBack(stream.durable));
    }
    put()
    await world.crash()
    expect(await world.text('ann', '/f')).toBe('one\n')
    const now = of(world).stream
    await now.trim(now.durable + 1)
    now.overlay.put('state', 'snapshot', newer)
    now.overlay.freeze(now.durable)
    while (now.overlay.writeBack(now.durable));
    await expect(world.crash()).rejects.toThrow('written by a newer Sluice')
  })
})

describe('what a ledger takes', () => {
  it('decisions are put together as far as it takes them, and a large one goes alone', async () => {
    const world = new EngineWorld()
    const sizes: number[] = []
    world.wrap = (ledger, name) =>
      name === undefined ? ledger : limited(ledger, { batchEvents: 4, batchBytes: 2000 }, sizes)
    await world.start()
    sizes.length = 0
    const write = (path: string, text: string) => world.call('ann', 'write_file', { path }, text)
    await Promise.all([
      ...['/1', '/2', '/3', '/4', '/5', '/6', '/7', '/8', '/9'].map((path) => write(path, 'x')),
      write('/large', 'x'.repeat(5000)),
    ])
    expect(sizes.every((size) => size <= 4)).toBe(true)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10)
    expect(sizes).toContain(1)
  })

  it('a node that was fenced and may return waits for its turn, and goes on', async () => {
    const world = new EngineWorld()
    let isFenced = false
    let refusals = 0
    world.wrap = (ledger, name) =>
      name === undefined
        ? ledger
        : {
            ...limited(ledger, ledger.limits, []),
            async append(epoch, after, batch) {
              if (isFenced) throw new Fenced('another node has it', { mayReturn: true })
              await ledger.append(epoch, after, batch)
            },
            async open() {
              if (!isFenced || refusals++ > 2) isFenced = false
              else throw new LedgerBusy('another node has it')
              return ledger.open()
            },
          }
    await world.start()
    await world.call('ann', 'write_file', { path: '/before' }, 'x')
    isFenced = true
    expect(await world.code(world.call('ann', 'write_file', { path: '/lost' }, 'x'))).toBe(
      'overloaded',
    )
    await world.clock.advance(5000)
    await settle()
    await world.call('ann', 'write_file', { path: '/after' }, 'x')
    expect(await world.text('ann', '/before')).toBe('x')
    expect(await world.code(world.text('ann', '/lost'))).toBe('not_found')
  })
})

function limited(ledger: Ledger, limits: Ledger['limits'], sizes: number[]): Ledger {
  return {
    limits,
    open: () => ledger.open(),
    read: (from, to) => ledger.read(from, to),
    trim: (before) => ledger.trim(before),
    close: () => ledger.close(),
    append(epoch, after, batch) {
      sizes.push(batch.last - batch.first + 1)
      return ledger.append(epoch, after, batch)
    },
  }
}

function of(world: EngineWorld) {
  return { stream: world.engine.streamOf('main') }
}
