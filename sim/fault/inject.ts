import type { Chance } from '../chance.ts'
import type { Client } from '../work/client.ts'
import type { Worker } from '../work/worker.ts'
import type { World } from '../world/world.ts'
import { OUTSIDE_FAULTS, type OutsideFault } from './plan.ts'

/** Brings the faults of the plan over a world, each kind at its own times, until it is calm. */
export class Faults {
  private readonly world: World
  private readonly workers: readonly Worker[]
  private readonly chance: Chance
  private isRestarting = false

  constructor(world: World, workers: readonly Worker[], chance: Chance) {
    this.world = world
    this.workers = workers
    this.chance = chance
  }

  begin(): void {
    const { plan, health } = this.world
    Object.assign(health, plan.disk)
    for (const kind of OUTSIDE_FAULTS) {
      const every = plan.every[kind]
      if (every !== undefined) this.again(kind, every)
    }
  }

  private again(kind: OutsideFault, everyMs: number): void {
    const { loop, outside } = this.world
    loop.after(this.chance.around(everyMs), outside, () => {
      if (this.world.isCalm || this.world.isRefused) return
      if (this.strike(kind)) this.world.history.count(kind)
      this.again(kind, everyMs)
    })
  }

  /** Ends all faults: what is cut stays cut, but nothing stands in the way any more. */
  calm(): void {
    const { world } = this
    world.isCalm = true
    Object.assign(world.health, { full: 0, failed: 0, unknown: 0, slow: 0 })
    for (const { client } of this.workers) {
      client.weather.blockedToClient = 0
      client.weather.blockedToServer = 0
    }
  }

  /** Says whether there was anything to strike. */
  private strike(kind: OutsideFault): boolean {
    const { world, chance } = this
    const { loop } = world
    const { client } = chance.pick(this.workers)
    const { weather } = client
    switch (kind) {
      case 'cut':
      case 'half-open cut': {
        const wire = chance.pick([...client.wires].filter((one) => !one.isCut))
        if (wire === undefined) return false
        const late = kind === 'cut' ? 0 : chance.around(8000)
        const isClientLate = chance.happens(0.5)
        world.note(
          client.name,
          `${kind}${late === 0 ? '' : `, ${isClientLate ? 'client' : 'server'} hears ${Math.round(late)} ms later`}`,
        )
        wire.cut({
          isLost: chance.happens(0.7),
          ...(isClientLate ? { clientHearsMs: late } : { serverHearsMs: late }),
        })
        return true
      }
      case 'stall to server':
        weather.blockedToServer = loop.now + chance.around(1500)
        world.note(client.name, `${kind} until ${Math.round(weather.blockedToServer)}`)
        return true
      case 'stall to client':
        weather.blockedToClient = loop.now + chance.around(1500)
        world.note(client.name, `${kind} until ${Math.round(weather.blockedToClient)}`)
        return true
      case 'partition': {
        const until = loop.now + chance.around(4000)
        weather.blockedToServer = until
        weather.blockedToClient = until
        world.note(client.name, `partition until ${Math.round(until)}`)
        return true
      }
      case 'client pause': {
        const ms = chance.around(3000)
        client.program.stop(loop.now + ms)
        world.note(client.name, `stops for ${Math.round(ms)} ms`)
        return true
      }
      case 'client crash':
      case 'client power loss':
        return this.crashClient(client, kind === 'client crash')
      case 'server crash':
        if (!this.isUp()) return false
        world.note('server', 'crashes')
        this.cutAll()
        world.crashServer()
        this.startLater()
        return true
      case 'server restart':
        return this.restartServer()
      case 'server pause': {
        const ms = chance.around(1500)
        world.server?.pause(ms)
        world.promptness.forget()
        world.note('server', `stops for ${Math.round(ms)} ms`)
        return true
      }
      case 'clock jump': {
        // Seen by the next start: a program's clock goes on by itself (engine/clock.ts).
        const ms = chance.around(600_000)
        world.wall.offsetMs += ms
        world.note('server', `the wall clock jumps by ${Math.round(ms)} ms`)
        return true
      }
      case 'bit flip':
        return this.flip()
    }
  }

  private isUp(): boolean {
    return !this.isRestarting && this.world.network.listener?.program.isAlive === true
  }

  private cutAll(): void {
    const isPower = this.chance.happens(0.3)
    for (const { client } of this.workers) {
      for (const wire of client.wires) {
        // A machine without power says nothing; clients find out when they send.
        const clientHearsMs = isPower ? this.chance.around(2000) : 0
        wire.cut({ isLost: this.chance.happens(0.7), clientHearsMs })
      }
    }
  }

  private startLater(): void {
    const { loop, outside } = this.world
    loop.after(this.chance.around(800), outside, () => this.world.startServer())
  }

  private crashClient(client: Client, isHeard: boolean): boolean {
    const worker = this.workers.find((one) => one.client === client) as Worker
    if (worker.isDone) return false
    this.world.note(client.name, isHeard ? 'crashes' : 'loses its power')
    const serverHearsMs = isHeard ? 0 : this.chance.around(8000)
    for (const wire of client.wires) wire.cut({ isLost: !isHeard, serverHearsMs })
    client.wires.clear()
    client.kill()
    this.world.loop.after(this.chance.around(2000), client.program, () => worker.start())
    return true
  }

  /** Closed as by SIGTERM, started again on what it left. */
  private restartServer(): boolean {
    const { world } = this
    const { server } = world
    if (!this.isUp() || server === undefined) return false
    world.note('server', 'is stopped')
    this.isRestarting = true
    // The door is shut first: nobody new comes in while it stores what it has.
    world.network.listener = undefined
    this.cutAll()
    server.engine.close().then(
      () => {
        this.isRestarting = false
        world.crashServer()
        world.note('server', 'has stopped')
        this.startLater()
      },
      (error: unknown) => world.fail(error),
    )
    return true
  }

  private flip(): boolean {
    const { world, chance } = this
    if (!this.isUp()) return false
    const { ledger } = world.disk.streamOf('main')
    world.note('server', 'crashes, and a bit of its ledger flips')
    this.cutAll()
    world.crashServer()
    world.isFlipped = ledger.flip(world.readFrom(), chance)
    this.startLater()
    return world.isFlipped
  }
}
