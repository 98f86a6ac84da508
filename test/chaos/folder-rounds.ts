import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Book } from './book.ts'
import { FolderVerifier } from './folder-verify.ts'
import { FolderWorker } from './folder-worker.ts'
import { Gate } from './gate.ts'
import { HttpHand } from './http-hand.ts'
import { Outsider } from './outsider.ts'
import { Random } from './random.ts'
import { makeHands } from './rounds.ts'
import { freePort, ServerProcess } from './server-process.ts'
import { Verifier } from './verify.ts'

export interface FolderRounds {
  seed: number
  kills: number
  acknowledged: number
  checked: number
  retried: number
  writtenOutside: number
  /** What servers said on stderr: they say nothing unless something is wrong. */
  complaints: string
  violations: string[]
}

/**
 * Kills the server of a real folder again and again, while agents work in it and somebody outside as
 * well. After most kills everybody rests once it is back, and folder, heads and promises are compared.
 */
export async function folderRounds(
  seed: number,
  kills: number,
  report: (line: string) => void = () => {},
): Promise<FolderRounds> {
  const random = new Random(seed)
  const root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-folder-kill-')))
  const data = join(root, '.sluice')
  const setUp = { data, port: await freePort(), folder: root }
  const book = new Book()
  let server = await ServerProcess.start(setUp)
  const { url, adminToken } = server
  const hands = await makeHands(url, adminToken)
  const gate = new Gate(hands.length)
  const workers = hands.map((hand) => new FolderWorker(hand, book, random.fork(hand.agent), gate))
  const outsider = new Outsider(root, random.fork('outside'))
  const promises = new Verifier(url, adminToken, book)
  const verifier = new FolderVerifier(url, adminToken, root, book)
  const crash = (error: unknown) => book.violate(`a worker broke: ${(error as Error).stack}`)
  const running = [...workers, outsider].map((one) => one.run().catch(crash))
  let complaints = ''
  const look = async (isWhole = false): Promise<void> => {
    outsider.rest()
    await gate.close()
    await promises.verify(isWhole)
    await verifier.verify(workers, outsider)
  }
  for (let kill = 1; kill <= kills && book.violations.length === 0; kill++) {
    // One in five while it is starting or just after; the others at any moment of work.
    const isEarly = random.chance(0.2)
    if (isEarly)
      await Promise.race([sleep(random.int(400)), server.ready.then(() => sleep(random.int(20)))])
    else await server.ready.then(() => sleep(random.int(300)))
    await server.kill()
    complaints += server.complaints
    server = new ServerProcess(setUp)
    if (random.chance(0.2) && kill < kills) continue
    await server.ready
    await look()
    outsider.goOn()
    gate.open()
    if (kill % 25 === 0)
      report(`${kill} kills, ${book.acknowledged} acknowledged, ${verifier.checked} checks`)
  }
  await look(true)
  for (const one of [...workers, outsider]) one.stop()
  gate.open()
  await Promise.all(running)
  for (const hand of hands) await hand.close()
  const code = await server.stop()
  complaints += server.complaints
  if (code !== 0) book.violate(`the server ended with ${code}`)
  await verifier.afterStop(data)
  if (book.violations.length === 0) await rm(root, { recursive: true, force: true })
  const { acknowledged, violations } = book
  const retried = hands.reduce((sum, one) => sum + (one instanceof HttpHand ? one.retried : 0), 0)
  const checked = promises.checked + verifier.checked
  const { writes: writtenOutside } = outsider
  return { seed, kills, acknowledged, checked, retried, writtenOutside, complaints, violations }
}
