import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client/index.ts'
import { Book } from './book.ts'
import type { Hand } from './hand.ts'
import { HttpHand } from './http-hand.ts'
import { Random } from './random.ts'
import { SdkHand } from './sdk-hand.ts'
import { freePort, ServerProcess } from './server-process.ts'
import { Verifier } from './verify.ts'
import { Worker } from './worker.ts'

export interface Rounds {
  seed: number
  kills: number
  acknowledged: number
  checked: number
  retried: number
  locksHeldOver: number
  violations: string[]
}

/** Kills the server again and again under mixed load, and looks after each restart what is there. */
export async function killRounds(
  seed: number,
  kills: number,
  report: (line: string) => void = () => {},
): Promise<Rounds> {
  const random = new Random(seed)
  const data = await mkdtemp(join(tmpdir(), 'sluice-kill-'))
  const setUp = { data, port: await freePort() }
  const book = new Book()
  let server = await ServerProcess.start(setUp)
  const { url, adminToken } = server
  const hands = await makeHands(url, adminToken)
  const workers = hands.flatMap((hand) =>
    LANES.map((lane) => new Worker(hand, book, random.fork(`${hand.agent}.${lane}`), lane)),
  )
  const verifier = new Verifier(url, adminToken, book)
  const crash = (error: unknown) => book.violate(`a worker broke: ${(error as Error).stack}`)
  const running = workers.map((worker) => worker.run().catch(crash))
  let locksHeldOver = 0
  for (let kill = 1; kill <= kills && book.violations.length === 0; kill++) {
    // One in five while it is starting or just after; the others at any moment of work.
    const isEarly = random.chance(0.2)
    if (isEarly)
      await Promise.race([sleep(random.int(250)), server.ready.then(() => sleep(random.int(20)))])
    else await sleep(random.int(500))
    await server.kill()
    locksHeldOver += [...book.locks.values()].filter((held) => held.state === 'held').length
    server = new ServerProcess(setUp)
    if (random.chance(0.2) && kill < kills) continue
    await server.ready
    await verifier.verify()
    if (kill % 25 === 0)
      report(`${kill} kills, ${book.acknowledged} acknowledged, ${verifier.checked} checks`)
  }
  for (const worker of workers) worker.stop()
  await Promise.all(running)
  await verifier.verify(true)
  for (const hand of hands) await hand.close()
  await server.stop()
  if (book.violations.length === 0) await rm(data, { recursive: true, force: true })
  const retried = hands.reduce(
    (sum, hand) => sum + (hand instanceof HttpHand ? hand.retried : 0),
    0,
  )
  const { acknowledged, violations } = book
  return {
    seed,
    kills,
    acknowledged,
    checked: verifier.checked,
    retried,
    locksHeldOver,
    violations,
  }
}

/** Workers at each hand. */
const LANES = [0, 1, 2, 3]

export async function makeHands(url: string, adminToken: string): Promise<Hand[]> {
  const admin = await connect({ url, token: adminToken })
  const tokens = new Map<string, string>()
  for (const name of ['ann', 'bob', 'cyd', 'dan', 'eve', 'fay']) {
    await admin.call('put_agent', { name })
    tokens.set(name, (await admin.call('create_token', { name })).value.token)
  }
  await admin.close()
  const tokenOf = (name: string) => tokens.get(name) ?? ''
  return [
    await SdkHand.open(url, tokenOf('ann'), 'ann'),
    await SdkHand.open(url, tokenOf('bob'), 'bob'),
    await SdkHand.open(url, tokenOf('cyd'), 'cyd'),
    await SdkHand.open(url, tokenOf('dan'), 'dan'),
    new HttpHand(url, tokenOf('eve'), 'eve'),
    new HttpHand(url, tokenOf('fay'), 'fay'),
  ]
}
