import type { Transport } from '../../src/client/transport.ts'
import type { Chance } from '../chance.ts'
import type { Loop, Program } from '../loop.ts'
import { type SimSocket, type Weather, Wire } from './wire.ts'

/** What a client reaches when it dials: a server that runs, or nobody. */
export interface Listener {
  program: Program
  accept(socket: SimSocket): void
}

/** The network between clients and the one server: who is connected, and how well. */
export class Network {
  listener: Listener | undefined
  readonly wires = new Set<Wire>()
  private readonly loop: Loop
  private readonly chance: Chance

  constructor(loop: Loop, chance: Chance) {
    this.loop = loop
    this.chance = chance
  }

  /** Dials. While the client's network is blocked the system tries on until it is free again. */
  open(client: Program, weather: Weather, mine: Set<Wire>): Promise<Transport> {
    const freeAt = Math.max(weather.blockedToServer, weather.blockedToClient, this.loop.now)
    const dialMs = 2 * this.chance.around(weather.delayMs)
    return new Promise((resolve, reject) => {
      this.loop.at(freeAt + dialMs, client, () => {
        const { listener } = this
        if (listener === undefined || !listener.program.isAlive) {
          reject(new Error('connection refused'))
          return
        }
        const wire = new Wire(this.loop, this.chance, weather, client, listener.program)
        for (const old of mine) if (old.isCut) mine.delete(old)
        mine.add(wire)
        resolve(wire.transport)
        this.loop.at(this.loop.now, client, () => wire.transport.onOpen())
        this.loop.at(this.loop.now, listener.program, () => listener.accept(wire.socket))
      })
    })
  }
}
