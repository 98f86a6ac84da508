import { expect, test } from 'vitest'
import { CrossedCancels } from '../../src/face/mcp/crossed.ts'
import { engineDoor } from '../../src/face/mcp/door.ts'
import { EngineWorld } from '../engine/world.ts'

/** `cases` E1: the answer and the cancel cross on the way. */
test('E1, locks §10: a cancel that crosses the answer gives back what it granted (MCP)', async () => {
  const world = await EngineWorld.start()
  const caller = await world.caller('ann')
  const door = engineDoor(world.engine, caller)
  const crossed = new CrossedCancels()
  const acquire = async (request: number) => {
    const { value } = await door.call('acquire_lock', { path: '/f' })
    crossed.answered(request, door, 'main', value)
  }
  const held = async () => (await world.call('ann', 'list_locks', {})).locks.length
  const cancel = (requestId: unknown) =>
    crossed.follow({ method: 'notifications/cancelled', params: { requestId } })
  await acquire(1)
  await cancel(2)
  await crossed.follow({ method: 'notifications/cancelled' })
  await crossed.follow(null)
  expect(await held()).toBe(1)
  // What was held already is not what this call was granted.
  await acquire(3)
  await cancel(3)
  expect(await held()).toBe(1)
  await cancel(1)
  await cancel(1)
  expect(await held()).toBe(0)
})

test('E1: over many races no lock is left whose owner was never told (socket frames)', async () => {
  // The frames as a client sends them, so that every order on the wire is tried.
  const { Packr } = await import('msgpackr')
  const { Peer } = await import('../../src/face/socket/peer.ts')
  const world = await EngineWorld.start()
  const packr = new Packr({ useRecords: false })
  const listeners = new Map<string, (data: Buffer, isBinary: boolean) => void>()
  const sent: unknown[][] = []
  const socket = {
    binaryType: 'nodebuffer',
    bufferedAmount: 0,
    OPEN: 1,
    readyState: 1,
    on: (event: string, listener: () => void) => listeners.set(event, listener),
    send: (frame: Buffer) => sent.push(...(packr.unpack(frame) as unknown[][])),
    close: () => {},
    terminate: () => {},
  }
  world.engine.authenticate = () => ({ name: 'bob', role: 'agent' })
  new Peer(socket as never, world.engine, () => ({ code: 'unauthenticated', detail: '' }))
  const say = (...messages: unknown[][]) =>
    listeners.get('message')?.(Buffer.from(packr.pack(messages)), true)
  const answered = async (id: number) => {
    while (!sent.some((message) => message[1] === id)) await new Promise(setImmediate)
  }
  say(['hello', { token: 'x' }])
  while (!sent.some(([what]) => what === 'welcome')) await new Promise(setImmediate)
  for (let id = 10; id < 60; id++) {
    say(['call', id, 'acquire_lock', { path: '/f' }])
    // Before the decision, while it is stored, or when it was answered: and then the next call.
    for (let turns = id % 5; turns > 0; turns--) await new Promise(setImmediate)
    if (id % 2 === 0) await answered(id)
    say(['cancel', id], ['call', id + 1000, 'acquire_lock', { path: '/f' }])
    await answered(id + 1000)
    const next = sent.find((message) => message[1] === id + 1000)?.[2] as { lock?: { id: string } }
    const { locks } = await world.call('ann', 'list_locks', {})
    // Who asked again holds what it was told of, whatever became of the call that was given up.
    expect(locks.map((lock) => lock.id)).toEqual([next.lock?.id])
    say(['call', id + 2000, 'release_lock', { id: next.lock?.id }])
    await answered(id + 2000)
  }
})
