import { Connection } from '../../src/client/connection.ts'
import type { Lock } from '../../src/client/lock.ts'
import { Sluice } from '../../src/client/sluice.ts'
import type { Workspace } from '../../src/client/workspace.ts'
import { SluiceError } from '../../src/contract/errors.ts'
import type { Chance } from '../chance.ts'
import { checkProblem } from '../check/answers.ts'
import type { Believer } from '../check/belief.ts'
import { RuleBroken } from '../history.ts'
import { Program } from '../loop.ts'
import { recordCalls } from '../record.ts'
import { clientRuntime } from '../world/clock.ts'
import type { Weather, Wire } from '../world/wire.ts'
import type { World } from '../world/world.ts'

/**
 * One client machine: its network, its clock, and the program on it, which is started again after a
 * crash. Every call that leaves it is written into the history.
 */
export class Client implements Believer {
  readonly index: number
  readonly world: World
  readonly chance: Chance
  readonly weather: Weather
  readonly wires = new Set<Wire>()
  program: Program
  sluice: Sluice | undefined
  workspace!: Workspace
  /** Locks it was given and has not given back. */
  readonly locks = new Map<string, Lock>()
  /** Locks that the SDK said are lost, and did not give again since. */
  readonly lost = new Set<string>()
  private readonly rate: number
  private starts = 0

  constructor(world: World, index: number, chance: Chance) {
    this.world = world
    this.index = index
    this.chance = chance
    this.program = new Program(`c${index}`)
    const { delayMs, drift } = world.plan
    this.weather = { delayMs, blockedToServer: 0, blockedToClient: 0 }
    this.rate = 1 + chance.between(-drift, drift)
    world.believers.add(this)
  }

  get name(): string {
    return `c${this.index}`
  }

  /** Crashes without a goodbye. */
  kill(): void {
    this.program.isAlive = false
    this.locks.clear()
    this.sluice = undefined
    this.program = new Program(this.name)
  }

  hold(lock: Lock): void {
    this.locks.set(lock.id, lock)
    this.lost.delete(lock.id)
    lock.signal.addEventListener('abort', () => this.lost.add(lock.id))
  }

  believed(): { client: string; lock: Lock }[] {
    const held: { client: string; lock: Lock }[] = []
    for (const lock of this.locks.values()) {
      if (lock.state === 'held') held.push({ client: this.name, lock })
    }
    return held
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.world.loop.after(ms / this.rate, this.program, resolve)
    })
  }

  /** A new session on a new connection. */
  async connect(): Promise<void> {
    const { world, program } = this
    const runtime = clientRuntime(
      world.loop,
      program,
      this.chance.fork(`sdk ${this.starts}`),
      this.rate,
      () => world.network.open(program, this.weather, this.wires),
    )
    const token = world.tokens[this.index] as string
    const session = `s${this.starts++}`
    const url = 'http://server'
    const connection = new Connection(url, { token, session }, 30_000, runtime)
    this.record(connection, `a${this.index}:${session}`)
    await connection.opened()
    this.locks.clear()
    this.sluice = new Sluice(connection, { url, token, session })
    this.workspace = this.sluice.workspace('main')
  }

  /** I12: who was told that a lock is lost believes it. */
  private mustDoubt(id: string): void {
    const { loop } = this.world
    loop.at(loop.now, this.program, () => {
      if (this.locks.get(id)?.state !== 'held') return
      this.world.fail(new RuleBroken('I12', `${this.name} was told that ${id} is lost`))
    })
  }

  private record(connection: Connection, session: string): void {
    const { world, index } = this
    const { loop, history } = world
    recordCalls(connection, history.operations, {
      client: index,
      session,
      step: () => loop.step,
      now: () => loop.now,
      failed: (error, { name, input }) => {
        if (!(error instanceof SluiceError)) return world.fail(error)
        if (name === 'renew_lock' && error.code === 'lock_lost') this.mustDoubt(input.id as string)
        try {
          checkProblem(error.problem)
        } catch (broken) {
          world.fail(broken)
        }
      },
    })
  }
}
