import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpDoor } from '../../src/cli/http-door.ts'
import { connect, type Sluice } from '../../src/client/index.ts'
import { SluiceError } from '../../src/contract/errors.ts'
import type { Role } from '../../src/contract/events.ts'
import { OPERATION_NAMES, type OperationName, operationOf } from '../../src/contract/operations.ts'
import { parseInput } from '../../src/contract/parse.ts'
import { hasRole } from '../../src/core/agent/rights.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { everyOperation, type Samples } from '../engine/every-operation.ts'
import { EngineWorld } from '../engine/world.ts'

/** Every operation × every role × every door: who has not the role of the row is refused, nobody else. */
const ROLES: readonly Role[] = ['agent', 'supervisor', 'human', 'admin']
type Ask = (name: OperationName, role: Role) => Promise<unknown>

let folder: string
let server: RunningServer
let samples: Samples
const tokens = new Map<Role, string>()
const sockets = new Map<Role, Sluice>()

beforeAll(async () => {
  // Calls that are well-formed; what they name is of another server, so they change little here.
  samples = await everyOperation(await EngineWorld.start())
  folder = mkdtempSync(join(tmpdir(), 'sluice-roles-'))
  server = await startServer({ data: folder, host: '127.0.0.1', port: 0 })
  const token = server.engine.firstToken as string
  const admin = await connect({ url: server.url, token })
  for (const role of ROLES) {
    await admin.call('put_agent', { name: `the-${role}`, role })
    const made = await admin.call('create_token', { name: `the-${role}` })
    tokens.set(role, made.value.token)
    sockets.set(role, await connect({ url: server.url, token: made.value.token }))
  }
  await admin.close()
})

afterAll(async () => {
  for (const socket of sockets.values()) await socket.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const DOORS: Record<string, Ask> = {
  async engine(name, role) {
    const { engine } = server
    const parsed = parseInput(name, samples[name].input)
    if (!parsed.ok) throw new Error(parsed.refusal.detail)
    const caller = await engine.callerOf({ name: `the-${role}`, role }, { session: 'direct' })
    return engine.call({ operation: name, input: parsed.input, caller })
  },
  HTTP(name, role) {
    const target = { url: server.url, token: tokens.get(role) as string }
    const door = new HttpDoor(target, 'web')
    return door.ask(name, samples[name].input, bytesFor(name))
  },
  socket(name, role) {
    return (sockets.get(role) as Sluice).call(name, samples[name].input, bytesFor(name))
  },
}

function bytesFor(name: OperationName): Uint8Array | undefined {
  return operationOf(name).content === 'in' ? Buffer.from('x') : undefined
}

describe.each(Object.entries(DOORS))('roles, by %s', (_, ask) => {
  it.each(OPERATION_NAMES)('%s asks for the role of its row', async (name) => {
    const { role: needed } = operationOf(name)
    for (const role of ROLES) {
      const missing = await missingRole(ask(name, role))
      expect({ role, missing }).toEqual({
        role,
        missing: hasRole(role, needed) ? undefined : needed,
      })
    }
  })
})

/** The role that a refusal asks for, where it refuses for want of one. */
async function missingRole(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
    return undefined
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { code, detail, needed } = error.problem
    return code === 'forbidden' && detail.startsWith('Only ') ? needed : undefined
  }
}
