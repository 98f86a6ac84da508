import type { Parsed } from '../../src/contract/operations.ts'
import { parseInput } from '../../src/contract/parse.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { Engine, type Extensions } from '../../src/engine/engine.ts'
import { MemoryBlobs } from '../../src/store/blobs/memory.ts'
import { MemoryLedger } from '../../src/store/ledger/memory.ts'
import { MemoryTables } from '../../src/store/tables/memory.ts'

/** The real engine in memory, with the agents of the fake one. */
export interface RealEngine {
  engine: Engine
  /** Token by the name that the fake engine's tests call it by: `token-a`. */
  tokens: Record<string, string>
}

export async function openRealEngine(extensions: Extensions = {}): Promise<RealEngine> {
  const storage = {
    blobs: new MemoryBlobs(),
    secret: crypto.getRandomValues(new Uint8Array(32)),
    streamOf: () => ({ ledger: new MemoryLedger(), tables: new MemoryTables() }),
  }
  const engine = new Engine(storage, systemClock(), console.error, extensions)
  await engine.open()
  const tokens = {
    'token-admin': engine.firstToken ?? '',
    'token-a': await makeAgent(engine, 'agent-a'),
    'token-b': await makeAgent(engine, 'agent-b'),
  }
  return { engine, tokens }
}

async function makeAgent(engine: Engine, name: string): Promise<string> {
  const caller = await engine.callerOf({ name: 'admin', role: 'admin' })
  const right = { workspace: '*', path: '/', access: 'write' }
  const agent = parseInput('put_agent', { name, rights: [right] })
  const token = parseInput('create_token', { name })
  if (!agent.ok || !token.ok) throw new Error('the contract has changed')
  await engine.call({ operation: 'put_agent', input: agent.input, caller })
  const input: Parsed<'create_token'> = token.input
  return (await engine.call({ operation: 'create_token', input, caller })).value.token
}
