import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Problem } from '../../src/contract/errors.ts'
import type { Output } from '../../src/contract/operations.ts'
import { factsIn } from './examine.ts'
import { freePort, ServerProcess, type ServerSetUp } from './server-process.ts'

/** What came of a call: its answer, or the code of its refusal. */
export interface Asked {
  code: 'done' | Problem['code']
  problem?: Problem
  text: string
}

/** A real server of one folder, and one who asks each thing once. */
export class FolderServer {
  readonly root: string
  private readonly setUp: ServerSetUp
  private process: ServerProcess

  private constructor(setUp: ServerSetUp & { folder: string }) {
    this.setUp = setUp
    this.root = setUp.folder
    this.process = new ServerProcess(setUp)
  }

  static async start(
    folder: string,
    { data = join(folder, '.sluice'), uid }: { data?: string; uid?: number } = {},
  ): Promise<FolderServer> {
    const port = await freePort()
    const server = new FolderServer({ folder, data, port, ...(uid === undefined ? {} : { uid }) })
    await server.scanned()
    return server
  }

  private async scanned(): Promise<void> {
    await this.process.ready
    await this.eventually(async () => (await this.report()).scan.done)
  }

  kill(): Promise<void> {
    return this.process.kill()
  }

  stop(): Promise<number | null> {
    return this.process.stop()
  }

  async again(): Promise<void> {
    this.process = new ServerProcess(this.setUp)
    await this.scanned()
  }

  get complaints(): string {
    return this.process.complaints
  }

  // ——— What somebody outside does

  put(path: string, content: string | Uint8Array): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }

  /** Names of ours in the root that are not there for good. */
  leftovers(): string[] {
    return ['new', 'held'].flatMap((name) => readdirSync(join(this.root, '.sluice', name)))
  }

  /** Of a server that has ended: whose commits of files there are. */
  async commits(): Promise<string[]> {
    const facts = await factsIn(this.setUp.data)
    return facts.flatMap((event) => {
      if (event.kind !== 'files-committed') return []
      const changes = event.changes.map(({ op, path }) => `${op} ${path}`)
      return [`${event.agent}: ${changes.join(', ')}`]
    })
  }

  // ——— What an agent asks

  async ask(method: string, path: string, body?: unknown): Promise<Asked> {
    const isText = typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(`${this.process.url}/v1/workspaces/main${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.process.adminToken}`,
        'sluice-session': 'agent',
        ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
    })
    const text = await response.text()
    if (response.ok) return { code: 'done', text }
    const problem = JSON.parse(text) as Problem
    return { code: problem.code, problem, text }
  }

  /** The content, or the code of the refusal in brackets. */
  async read(path: string): Promise<string> {
    const { code, text } = await this.ask('GET', `/files${path}`)
    return code === 'done' ? text : `(${code})`
  }

  async write(path: string, content: string | Uint8Array): Promise<Asked['code']> {
    return (await this.ask('PUT', `/files${path}`, content)).code
  }

  async remove(path: string, isFolder = false): Promise<Asked['code']> {
    return (await this.ask('DELETE', `/files${path}${isFolder ? '?recursive=true' : ''}`)).code
  }

  async change(...changes: object[]): Promise<Asked['code']> {
    return (await this.ask('POST', '/commits', { changes })).code
  }

  /** Paths of all files that are listed; the code of the refusal in brackets. */
  async list(): Promise<string[]> {
    const { code, text } = await this.ask('GET', '/entries/?depth=64')
    if (code !== 'done') return [`(${code})`]
    const { entries } = JSON.parse(text) as { entries: { path: string; kind: string }[] }
    return entries.flatMap(({ path, kind }) => (kind === 'file' ? [path] : []))
  }

  /** Who wrote the versions of a file and how, the oldest first. */
  async history(path: string): Promise<string[]> {
    const { text } = await this.ask('GET', `/history${path}`)
    const { versions } = JSON.parse(text) as Output<'get_history'>
    return versions.reverse().map(({ how, agent }) => `${how} by ${agent}`)
  }

  private async facts(): Promise<Output<'get_workspace'>> {
    return JSON.parse((await this.ask('GET', '')).text) as Output<'get_workspace'>
  }

  async report(): Promise<NonNullable<Output<'get_workspace'>['folder']>> {
    return (await this.facts()).folder as NonNullable<Output<'get_workspace'>['folder']>
  }

  async eventually(holds: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 8000; Date.now() < deadline; await sleep(20)) {
      if (await holds()) return
    }
    throw new Error(`it did not come about: ${this.complaints}`)
  }
}
