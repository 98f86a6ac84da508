import { refuse } from '../../src/contract/errors.ts'
import type { Event } from '../../src/contract/events.ts'
import type { OperationName } from '../../src/contract/operations.ts'
import type { Answer, EngineApi, Request } from '../../src/engine/api.ts'
import type { Clock } from '../../src/engine/clock.ts'
import { Engine, type Storage } from '../../src/engine/engine.ts'
import { Stream } from '../../src/engine/stream/stream.ts'
import { Peer, type ServerSocket } from '../../src/face/socket/peer.ts'
import { type Decided, decidedFrom } from '../check/model.ts'
import { type Loop, Program } from '../loop.ts'
import { serverClock, type WallClock } from './clock.ts'
import type { Listener } from './network.ts'
import type { SimSocket } from './wire.ts'

/** Who wants to hear what the server does. */
export interface Observer {
  /** Something was decided; it may still be lost. */
  decided(decided: Decided): void
  /** Facts became durable, in this run of the server. */
  durable(events: readonly Event[]): void
  /** Memory was folded anew from the ledger. */
  reloaded(): void
  answered(request: Request<OperationName>, answer: Promise<Answer<OperationName>>): void
  failed(message: string, error: unknown): void
}

/** One run of the server program, from a start to a crash or a close: real engine, real socket face. */
export class Server implements Listener {
  readonly program = new Program('server')
  readonly engine: Engine
  private readonly loop: Loop
  private readonly clock: ReturnType<typeof serverClock>
  private readonly door: EngineApi
  private readonly observer: Observer

  constructor(
    loop: Loop,
    wall: WallClock,
    storageFor: (program: Program) => Storage,
    observer: Observer,
  ) {
    this.loop = loop
    this.observer = observer
    this.clock = serverClock(loop, this.program, wall)
    observers.set(this.clock, observer)
    this.engine = new Engine(storageFor(this.program), this.clock, observer.failed)
    this.door = watched(this.engine, observer)
  }

  async start(): Promise<void> {
    await this.engine.open()
    const stream = this.engine.streamOf('main')
    stream.listen((events) => this.observer.durable(events))
    stream.onReload(() => this.observer.reloaded())
  }

  accept(socket: SimSocket): void {
    // The part of a `ws` socket that the face uses, but for the overloads of its listeners.
    const like = socket as unknown as ServerSocket
    new Peer(like, this.door, () => refuse('unauthenticated', 'Unknown token.'), this.clock)
  }

  /** Stops it as SIGSTOP does: time goes by, nothing is done. */
  pause(ms: number): void {
    this.program.stop(this.loop.now + ms)
  }

  kill(): void {
    this.program.isAlive = false
  }
}

/**
 * Whose streams are seen deciding, by their clock: the streams of an engine are made while it opens,
 * and decide before anybody could get hold of them.
 */
const observers = new WeakMap<Clock, Observer>()
const { run } = Stream.prototype

Stream.prototype.run = function (command, moment, contents) {
  const step = run.call(this, command, moment, contents)
  if (this.name === 'main') {
    observers.get(this.clock)?.decided(decidedFrom(command, moment.at, step))
  }
  return step
}

/** The same engine; every call and its answer is seen on the way. */
function watched(engine: Engine, observer: Observer): EngineApi {
  const door = Object.create(engine) as Engine
  door.call = (request) => {
    const answer = engine.call(request)
    observer.answered(request, answer)
    return answer
  }
  return door
}
