import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Chance } from '../../../sim/chance.ts'
import { block, mark, markIn, readingOf, sha256Of } from '../content.ts'
import type { Asked } from '../log.ts'
import { SLUICE } from '../server-process.ts'
import { BUILT, pickShared, pickSize, REMOVED } from '../tree.ts'
import { type Stage, Writer } from './writer.ts'

/** An agent: a `sluice mcp` process of its own, called as models call it. */
export class Agent extends Writer {
  private readonly client: Client
  private readonly deeds: readonly { weight: number; do: () => Promise<void> }[]

  private constructor(name: string, stage: Stage, chance: Chance, client: Client) {
    super(name, stage, chance)
    this.client = client
    this.deeds = [
      { weight: 25, do: () => this.look() },
      { weight: 25, do: () => this.rewrite(this.path()) },
      { weight: 15, do: () => this.append() },
      { weight: 15, do: () => this.edit() },
      { weight: 4, do: () => this.rewriteLocked() },
      { weight: 3, do: () => this.remove() },
      { weight: 1, do: () => this.removeFolder() },
      { weight: 3, do: () => this.move() },
      { weight: 2, do: () => this.copy() },
    ]
  }

  static async open(name: string, stage: Stage, chance: Chance): Promise<Agent> {
    const client = new Client({ name, version: '1' })
    client.onerror = (error) => stage.log.trouble(`${name}: ${error.message}`)
    const args = [SLUICE, 'mcp', stage.root, '--agent', name, '--idle-exit', '10']
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, cwd: stage.root }),
    )
    return new Agent(name, stage, chance, client)
  }

  close(): Promise<void> {
    return this.client.close()
  }

  protected override async act(): Promise<void> {
    await this.chance.weighted(this.deeds).do()
  }

  private path(): string {
    return this.chance.happens(0.05) ? this.chance.pick(BUILT) : pickShared(this.chance)
  }

  private async look(): Promise<void> {
    await this.read(this.path())
  }

  /** The text, where there is one that is whole. */
  private async read(path: string): Promise<string | undefined> {
    const { log } = this.stage
    const from = Date.now()
    const answer = await this.call('read_text_file', { path })
    const of = { kind: 'read', by: this.name, path, from, to: Date.now() } as const
    if (answer.refused !== undefined) {
      log.add({ ...of, refused: answer.refused })
      return undefined
    }
    const { text, facts } = answer
    const { fault } = readingOf(text)
    const seen = { version: facts.version as number, sha256: sha256Of(text) }
    log.add({ ...of, seen, ...(fault === undefined ? {} : { half: fault }) })
    return text
  }

  private async rewrite(path: string): Promise<void> {
    await this.read(path)
    const unit = this.unit()
    const content = block(unit, path, pickSize(this.chance))
    const of = { how: 'write', path, unit, sha256: sha256Of(content) } as const
    await this.ask(of, 'write_file', { path, content })
  }

  private async rewriteLocked(): Promise<void> {
    const path = pickShared(this.chance)
    await this.call('acquire_lock', { path, wait: 1 })
    await this.rewrite(path)
    await this.call('release_lock', { path })
  }

  private async append(): Promise<void> {
    const path = pickShared(this.chance)
    const unit = this.unit()
    const content = block(unit, path, this.chance.int(1500) + 100)
    await this.ask({ how: 'append', path, unit }, 'append_file', { path, content })
  }

  private async edit(): Promise<void> {
    const path = pickShared(this.chance)
    const text = await this.read(path)
    const oldText = text === undefined ? undefined : markIn(text)
    if (oldText === undefined) return
    const unit = this.unit()
    const edits = [{ oldText, newText: mark(unit) }]
    await this.ask({ how: 'edit', path, unit }, 'edit_file', { path, edits })
  }

  private async remove(): Promise<void> {
    const path = pickShared(this.chance)
    await this.read(path)
    await this.ask({ how: 'delete', path }, 'delete_file', { path })
  }

  /** With all that lies in it, whoever wrote it. */
  private async removeFolder(): Promise<void> {
    const path = this.chance.pick(REMOVED)
    await this.ask({ how: 'delete', path }, 'delete_file', { path, recursive: true })
  }

  private async move(): Promise<void> {
    const [path, to] = [pickShared(this.chance), pickShared(this.chance)]
    const given = { source: path, destination: to }
    await this.ask({ how: 'move', path, to_path: to }, 'move_file', given)
  }

  private async copy(): Promise<void> {
    const [path, to] = [pickShared(this.chance), pickShared(this.chance)]
    const given = { source: path, destination: to }
    await this.ask({ how: 'copy', path, to_path: to }, 'copy_file', given)
  }

  private async ask(
    what: Pick<Asked, 'how' | 'path' | 'to_path' | 'unit' | 'sha256'>,
    tool: string,
    args: Record<string, unknown>,
  ): Promise<void> {
    const from = Date.now()
    const { refused, facts } = await this.call(tool, args)
    const of = { kind: 'asked', by: this.name, ...what, from, to: Date.now() } as const
    if (refused !== undefined) return this.stage.log.add({ ...of, refused })
    const { version } = facts as { version?: number }
    this.stage.log.add({ ...of, ...(version === undefined ? {} : { version }) })
  }

  private async call(name: string, args: Record<string, unknown>): Promise<Answer> {
    const { content, structuredContent, isError } = await this.client.callTool({
      name,
      arguments: args,
    })
    const facts = (structuredContent ?? {}) as Record<string, unknown>
    const [first] = content as { type: string; text?: string }[]
    const text = typeof facts.content === 'string' ? facts.content : (first?.text ?? '')
    if (isError !== true) return { text, facts, refused: undefined }
    return { text, facts, refused: typeof facts.code === 'string' ? facts.code : `? ${text}` }
  }
}

interface Answer {
  text: string
  facts: Record<string, unknown>
  refused: string | undefined
}
