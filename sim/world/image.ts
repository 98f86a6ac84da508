import type { Input, OperationName, Output } from '../../src/contract/operations.ts'
import { parseInput } from '../../src/contract/parse.ts'
import { Engine } from '../../src/engine/engine.ts'
import { Chance } from '../chance.ts'
import { drain } from '../drain.ts'
import { Loop, Program } from '../loop.ts'
import { COUNTERS, FILES, LOGS } from '../work/action.ts'
import { SEEN } from '../work/look-actions.ts'
import { serverClock, WallClock } from './clock.ts'
import { Disk } from './disk.ts'

/** A data folder with agents, their tokens and some files: what every run begins with. */
export interface Image {
  disk: Disk
  tokens: readonly string[]
}

/** As many as ever take part in one run. */
export const AGENTS = 12
/** One more, who may only look. */
const LOOKER = `a${AGENTS}`

let made: Image | undefined

/** Made once a process: it costs as much as a short run. */
export function image(): Image {
  made ??= make()
  return made
}

function make(): Image {
  const loop = new Loop()
  const program = new Program('first start')
  const disk = new Disk()
  const health = { syncMs: 0, full: 0, failed: 0, unknown: 0, slow: 0 }
  const clock = serverClock(loop, program, new WallClock(loop))
  const never = (): boolean => false
  const storage = disk.storage(loop, program, new Chance(1), health, never, { count() {} })
  const tokens: string[] = []
  const setUp = async (): Promise<void> => {
    const engine = new Engine(storage, clock)
    await engine.open()
    for (let index = 0; index < AGENTS; index++) {
      const name = `a${index}`
      // One of them may do what only supervisors may.
      const role = index === AGENTS - 1 ? 'supervisor' : 'agent'
      await call(engine, 'put_agent', { name, role })
      tokens.push((await call(engine, 'create_token', { name })).token)
    }
    await call(engine, 'put_agent', {
      name: LOOKER,
      rights: [{ path: SEEN, access: 'read' }],
    })
    tokens.push((await call(engine, 'create_token', { name: LOOKER })).token)
    for (const path of COUNTERS) await write(engine, path, '0')
    for (const path of [...FILES, ...LOGS]) await write(engine, path, 'first\n')
    await engine.close()
    isDone = true
  }
  let isDone = false
  let failure: unknown
  setUp().catch((error: unknown) => {
    failure = error
  })
  drain()
  loop.run(() => isDone || loop.now > 10_000)
  if (!isDone) throw failure ?? new Error('The first start did not end.')
  return { disk, tokens }
}

function write(engine: Engine, path: string, text: string): Promise<unknown> {
  return call(engine, 'write_file', { path }, Buffer.from(text))
}

async function call<N extends OperationName>(
  engine: Engine,
  operation: N,
  input: Input<N>,
  content?: Uint8Array,
): Promise<Output<N>> {
  const caller = await engine.callerOf({ name: 'admin', role: 'admin' }, { session: 'set-up' })
  const parsed = parseInput(operation, input)
  if (!parsed.ok) throw new Error(parsed.refusal.detail)
  const request = { operation, input: parsed.input, caller }
  const answer = await engine.call(content === undefined ? request : { ...request, content })
  return answer.value
}
