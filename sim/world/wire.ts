import { EventEmitter } from 'node:events'
import type { Transport } from '../../src/client/transport.ts'
import type { Chance } from '../chance.ts'
import type { Loop, Program } from '../loop.ts'

/** How one client's network is at the moment. Faults change it. */
export interface Weather {
  /** Mean of the way of one frame. */
  delayMs: number
  /** Nothing arrives before, in this direction: a partition need not be the same both ways. */
  blockedToServer: number
  blockedToClient: number
}

/**
 * One connection: a WebSocket over TCP, so each direction keeps its order and loses nothing, until it
 * is cut. What was under way then is lost, or arrives before the end does; each side hears of the end
 * in its own time.
 */
export class Wire {
  readonly transport: Transport
  readonly socket: SimSocket
  isCut = false
  private readonly loop: Loop
  private readonly chance: Chance
  private readonly weather: Weather
  private readonly client: Program
  private readonly server: Program
  private toServerAt = 0
  private toClientAt = 0
  private isOpenAtClient = true
  private isOpenAtServer = true
  /** After a cut: whether what is under way still arrives. */
  private isLost = false
  /** Either side has heard the end and the other will. */
  private isEnding = false

  constructor(loop: Loop, chance: Chance, weather: Weather, client: Program, server: Program) {
    this.loop = loop
    this.chance = chance
    this.weather = weather
    this.client = client
    this.server = server
    this.transport = {
      send: (frame) => this.send(frame),
      close: () => this.cut({ isLost: false }),
      onOpen: () => {},
      onFrame: () => {},
      onClose: () => {},
    }
    this.socket = new SimSocket(
      (frame) => this.answer(frame),
      () => this.cut({ isLost: false }),
    )
  }

  private send(frame: Uint8Array): void {
    if (this.isCut || !this.isOpenAtClient) return
    this.toServerAt = this.arrival(this.toServerAt, this.weather.blockedToServer)
    this.loop.at(this.toServerAt, this.server, () => {
      if (this.isOpenAtServer && !(this.isCut && this.isLost)) {
        this.socket.emit('message', frame, true)
      }
    })
  }

  private answer(frame: Uint8Array): void {
    if (this.isCut || !this.isOpenAtServer) return
    this.toClientAt = this.arrival(this.toClientAt, this.weather.blockedToClient)
    this.loop.at(this.toClientAt, this.client, () => {
      if (this.isOpenAtClient && !(this.isCut && this.isLost)) this.transport.onFrame(frame)
    })
  }

  private arrival(lastMs: number, blockedMs: number): number {
    const wayMs = this.chance.around(this.weather.delayMs)
    return Math.max(lastMs, blockedMs, this.loop.now + wayMs)
  }

  /** Ends it. Without times of its own each side hears it about when a last frame would arrive. */
  cut(how: { isLost: boolean; clientHearsMs?: number; serverHearsMs?: number }): void {
    if (this.isEnding) return
    this.isEnding = true
    this.isCut = true
    this.isLost = how.isLost
    const { blockedToServer, blockedToClient } = this.weather
    const clientAt = this.arrival(this.toClientAt, blockedToClient)
    const serverAt = this.arrival(this.toServerAt, blockedToServer)
    this.loop.at(clientAt + (how.clientHearsMs ?? 0), this.client, () => this.endAtClient())
    this.loop.at(serverAt + (how.serverHearsMs ?? 0), this.server, () => this.endAtServer())
  }

  private endAtClient(): void {
    if (!this.isOpenAtClient) return
    this.isOpenAtClient = false
    this.transport.onClose(1006, 'the connection is lost')
  }

  private endAtServer(): void {
    if (!this.isOpenAtServer) return
    this.isOpenAtServer = false
    this.socket.end()
  }
}

/** What the server's side of a connection sees of a `ws` socket. */
export class SimSocket extends EventEmitter {
  readonly OPEN = 1
  readyState = 1
  binaryType = 'nodebuffer'
  readonly bufferedAmount = 0
  private readonly sendFrame: (frame: Uint8Array) => void
  private readonly cut: () => void

  constructor(sendFrame: (frame: Uint8Array) => void, cut: () => void) {
    super()
    this.sendFrame = sendFrame
    this.cut = cut
  }

  send(frame: Uint8Array): void {
    this.sendFrame(frame)
  }

  close(): void {
    this.readyState = 2
    this.cut()
  }

  terminate(): void {
    this.close()
  }

  end(): void {
    this.readyState = 3
    this.emit('close')
  }
}
