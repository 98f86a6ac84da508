import { describe, expect, it } from 'vitest'
import type { SluiceError } from '../../src/contract/errors.ts'
import { OPERATION_NAMES, type OperationName, operationOf } from '../../src/contract/operations.ts'
import { everyOperation, type Samples } from './every-operation.ts'
import { gatedWorld } from './gate.ts'
import { EngineWorld, settle } from './world.ts'

const commands = OPERATION_NAMES.filter((name) => operationOf(name).kind === 'command')
const queries = OPERATION_NAMES.filter((name) => operationOf(name).kind !== 'command')

function ask(world: EngineWorld, samples: Samples, name: OperationName, more: object = {}) {
  const { who, input, content } = samples[name]
  return world.call(who, name, { ...input, ...more } as never, content)
}

describe('every command', () => {
  it.each(commands)('locks §11: %s sent twice with one request id is done once', async (name) => {
    const world = await EngineWorld.start()
    const samples = await everyOperation(world)
    const request = { request_id: 'once' }
    const first = await ask(world, samples, name, request)
    const revisions = [world.engine.revision('main'), world.engine.revision('.server')]
    expect(await ask(world, samples, name, request)).toEqual(first)
    expect([world.engine.revision('main'), world.engine.revision('.server')]).toEqual(revisions)
    // Nor is it after a crash: what answers is in the ledger.
    const hasFact = revisions[0] !== 0
    await world.crash()
    if (hasFact) expect(await ask(world, samples, name, request)).toMatchObject(lasting(first))
  })

  it.each(commands)('locks §11: %s, refused, is refused alike and recorded once', async (name) => {
    const world = await EngineWorld.start()
    const samples = await everyOperation(world)
    const { input, content } = samples[name]
    // Rights on nothing but a place where nothing is, and the least role.
    await world.addAgent('out', { rights: [{ path: '/nothing', access: 'read' }] })
    const once = { ...input, request_id: 'once' } as never
    const refusal = async () => {
      try {
        return await world.call('out', name, once, content)
      } catch (error) {
        return (error as SluiceError).problem
      }
    }
    const first = await refusal()
    expect(await refusal()).toEqual(first)
    if ('code' in first) expect([...operationOf(name).errors, ...USUAL]).toContain(first.code)
    const rows = await refusedRows(world, name)
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe('code' in first ? 1 : 0)
    expect(new Set(rows.map(({ kind }) => kind)).size).toBeLessThanOrEqual(1)
  })
})

/** They may come of any operation (contract §7). */
const USUAL: readonly string[] = ['invalid_request', 'unauthenticated', 'forbidden']

async function refusedRows(world: EngineWorld, name: OperationName) {
  const stream = operationOf(name).of === 'server' ? '.server' : 'main'
  const asked = { workspace: stream, agent: 'out', kind: name }
  return (await world.call('admin', 'query_audit', asked)).rows
}

/** What of an answer does not depend on when it is asked for. */
function lasting(answer: unknown): object {
  const {
    lock,
    server_time: _,
    ...rest
  } = answer as { lock?: { id: string }; server_time?: string }
  return { ...rest, ...(lock === undefined ? {} : { lock: { id: lock.id } }) }
}

describe('every query', () => {
  it.each(queries)('I14: %s shows nothing that could still be lost', async (name) => {
    const { world, gate } = await gatedWorld()
    const samples = await everyOperation(world)
    // What asks has its session, so that only what is asked of the workspace waits.
    await world.caller(samples[name].who)
    gate.isShut = true
    const write = world.call('bob', 'write_file', { path: '/f2' }, 'new')
    await settle()
    let isAnswered = false
    const answer = ask(world, samples, name).then(
      (value) => {
        isAnswered = true
        return value
      },
      (error: unknown) => {
        isAnswered = true
        throw error
      },
    )
    await settle()
    expect(isAnswered).toBe(!SHOWS_WORKSPACE(name))
    gate.open()
    await write
    expect(await answer).toBeDefined()
  })

  it.each(queries)('I14: %s is answered anew where what it saw was lost', async (name) => {
    const { world, gate } = await gatedWorld()
    const samples = await everyOperation(world)
    await world.caller(samples[name].who)
    gate.isShut = true
    const write = world.call('bob', 'write_file', { path: '/lost' }, 'new').catch(() => {})
    await settle()
    const answer = ask(world, samples, name)
    gate.failure = new Error('no disk')
    gate.open()
    await settle()
    gate.failure = undefined
    await write
    await world.clock.advance(2000)
    expect(JSON.stringify(await answer)).not.toContain('/lost')
  })
})

/** The others tell of the server's own stream alone. */
function SHOWS_WORKSPACE(name: OperationName): boolean {
  return operationOf(name).of !== 'server' || SERVER_AND_WORKSPACES.has(name)
}

const SERVER_AND_WORKSPACES: ReadonlySet<OperationName> = new Set([
  'list_sessions',
  'list_workspaces',
  'get_workspace',
] as const)
