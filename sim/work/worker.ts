import type { Lock } from '../../src/client/lock.ts'
import type { Notice } from '../../src/contract/door.ts'
import { SluiceError } from '../../src/contract/errors.ts'
import type { Chance } from '../chance.ts'
import { type Untold, untoldLock } from '../check/told.ts'
import { broken } from '../history.ts'
import { type Action, type Hands, onlyRefusals } from './action.ts'
import { CALLER_ACTIONS } from './caller-actions.ts'
import type { Client } from './client.ts'
import { COORDINATION_ACTIONS } from './coordination-actions.ts'
import { FILE_ACTIONS } from './file-actions.ts'
import { LOCK_ACTIONS } from './lock-actions.ts'
import { Watcher } from './watcher.ts'

export const ACTIONS: readonly Action[] = [
  ...LOCK_ACTIONS,
  ...COORDINATION_ACTIONS,
  ...FILE_ACTIONS,
  ...CALLER_ACTIONS,
]

/** Now and then in capitals: another spelling of a name that is one with it (files §19). */
function spelled<T extends string | { path: string }[]>(target: T, chance: Chance): T {
  if (!chance.happens(0.1)) return target
  if (typeof target === 'string') return target.toUpperCase() as T
  return target.map((one) => ({ ...one, path: one.path.toUpperCase() })) as T
}

/** Longer than any window in which a grant can be claimed. */
const TOLD_AFTER_MS = 40_000
const TOLD_OFTEN = 0.2

/** A client's program: does one random thing after the other until the run is calm. */
export class Worker {
  isDone = false
  /** What it is at, for whoever waits for it. */
  doing = ''
  readonly client: Client
  readonly watcher: Watcher | undefined
  private readonly actions: readonly Action[]
  private readonly thinkMs: number
  private isOver: () => boolean
  private count = 0
  /** Heard while it waited to be told. */
  private readonly notices: Notice[] = []

  constructor(
    client: Client,
    actions: readonly Action[],
    thinkMs: number,
    isWatching: boolean,
    isOver: () => boolean,
  ) {
    this.client = client
    this.actions = actions
    this.thinkMs = thinkMs
    this.isOver = isOver
    this.watcher = isWatching ? new Watcher(client) : undefined
  }

  start(): void {
    this.isDone = false
    this.client.world.note(this.client.name, 'starts')
    this.live().catch((error: unknown) => this.client.world.fail(error))
  }

  private async live(): Promise<void> {
    const { client } = this
    while (!this.isOver()) {
      this.doing = 'connecting'
      try {
        await client.connect()
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        if (client.world.isRefused) break
        await client.sleep(500)
        continue
      }
      this.watcher?.follow()
      await this.work()
    }
    this.doing = 'leaving'
    await this.leave()
    this.isDone = true
  }

  /** Until the run is calm, or the session is lost. */
  private async work(): Promise<void> {
    const { client, thinkMs } = this
    const { chance } = client
    const hands = this.hands()
    while (!this.isOver() && client.sluice?.isClosed === false) {
      const action = chance.weighted(this.actions)
      this.doing = action.name
      try {
        await action.run(hands)
      } catch (error) {
        // A refusal is an answer as good as any; a real agent reads it and does something else.
        if (!(error instanceof SluiceError)) throw error
        await this.tidy()
      }
      this.doing = 'thinking'
      await client.sleep(chance.around(thinkMs))
    }
  }

  /** Mostly gives back what the broken action left, as a program with `await using` would. */
  private async tidy(): Promise<void> {
    const { client } = this
    for (const lock of [...client.locks.values()]) {
      if (client.chance.happens(0.1)) continue
      client.locks.delete(lock.id)
      await lock.release().catch(onlyRefusals)
    }
  }

  private async leave(): Promise<void> {
    const { sluice } = this.client
    await this.beTold()
    this.client.locks.clear()
    if (sluice?.isClosed === false) await sluice.close().catch(onlyRefusals)
  }

  /**
   * Idle for a while, so that what was granted and never claimed has passed on by then: now and then,
   * and whenever there is something that it may not know of.
   */
  private async beTold(): Promise<void> {
    const { client } = this
    const isChosen = client.chance.happens(TOLD_OFTEN)
    if (!isChosen && this.untold() === undefined) return
    this.doing = 'waiting to be told'
    await client.sleep(TOLD_AFTER_MS)
    const untold = this.untold()
    if (untold !== undefined) broken(untold.rule, untold.what)
  }

  private untold(): Untold | undefined {
    const { world, sluice, index, lost } = this.client
    const { engine } = world.server ?? {}
    // It is down, or not up yet.
    if (engine?.revision('main') === undefined) return undefined
    if (sluice === undefined || sluice.isClosed) return undefined
    const { locks } = engine.streamOf('main').state.locks
    const own = world.history.operations.filter((one) => one.client === index)
    for (const one of [sluice, sluice.as('one'), sluice.as('two')]) {
      this.notices.push(...one.takeNotices())
    }
    return untoldLock(locks.values(), sluice.session, own, this.notices, lost)
  }

  private hands(): Hands {
    const { client } = this
    const { workspace, chance } = client
    return {
      client,
      workspace,
      chance,
      fresh: () => `${client.name}-${this.count++}`,
      async lock(target, options) {
        const lock: Lock = await workspace.lock(spelled(target, chance), options)
        client.hold(lock)
        return lock
      },
      async release(lock) {
        client.locks.delete(lock.id)
        await lock.release()
      },
      dwell: (meanMs) => client.sleep(chance.around(meanMs)),
    }
  }
}
