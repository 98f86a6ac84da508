import type { Client } from '@modelcontextprotocol/client'
import { expect } from 'vitest'
import { type Problem, SluiceError } from '../../src/contract/errors.ts'
import { faultOf } from '../case/output-schemas.ts'
import type { Acquired, AcquireOptions, Level, Seat, WriteOptions } from './seat.ts'

type Note = { kind: string; text: string; ask?: string | undefined }

/** A seat at MCP: everything by tools, as a model calls them. */
export class McpSeat implements Seat {
  readonly agent: string
  readonly commit = undefined
  private readonly client: Client
  private readonly notes: Note[] = []
  private readonly leave: () => Promise<void>

  constructor(agent: string, client: Client, leave: () => Promise<void>) {
    this.agent = agent
    this.client = client
    this.leave = leave
  }

  /** The structured content of a tool's answer. */
  async call(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { isError, structuredContent } = await this.client.callTool({ name, arguments: args })
    // F6: whatever the stories bring about fits what the tool promises.
    expect(faultOf(name, structuredContent), name).toBeUndefined()
    const content = (structuredContent ?? {}) as Record<string, unknown>
    // A status lists what was told before; all others carry only what is new.
    if (name !== 'workspace_status') this.notes.push(...((content.messages ?? []) as Note[]))
    if (isError === true) throw new SluiceError(content as unknown as Problem)
    return content
  }

  async acquire(path: string, options: AcquireOptions = {}): Promise<Acquired> {
    const { paths, ...terms } = options
    const what = paths === undefined ? { path } : { paths }
    return (await this.call('acquire_lock', { ...what, wait: 0, ...terms })) as unknown as Acquired
  }

  async change({ id }: { id: string }, to: Level, wait = 0): Promise<Acquired> {
    return (await this.call('change_lock', { lock_id: id, to, wait })) as unknown as Acquired
  }

  async extend({ id }: { id: string }): Promise<void> {
    await this.call('change_lock', { lock_id: id, to: 'extend' })
  }

  async handOver({ id }: { id: string }, to: string): Promise<void> {
    await this.call('change_lock', { lock_id: id, hand_to: to })
  }

  async ask(path: string, message: string): Promise<string> {
    const { asked } = await this.call('ask_holder', { path, message })
    return (asked as { ask: string }[])[0]?.ask ?? ''
  }

  async answer(ask: string, answer: 'yield' | 'estimate' | 'no'): Promise<void> {
    await this.call('ask_holder', { ask, answer })
  }

  /** Notes come with whatever was asked next. */
  async messages() {
    await this.call('list_locks', {})
    return this.notes
  }

  async draft(id: string): Promise<string> {
    return (await this.call('read_draft', { draft: id })).content as string
  }

  async force({ id }: { id: string }, reason: string): Promise<void> {
    await this.call('force_release', { lock_id: id, reason })
  }

  async statistics(path: string) {
    const { statistics } = await this.call('list_locks', { path, statistics: true })
    return statistics as { waits: number; waited_s_total: number }[]
  }

  async session(): Promise<string> {
    return (await this.call('workspace_status', {})).session as string
  }

  async claim(ticket: string, wait: number): Promise<Acquired> {
    return (await this.call('wait_for_lock', { ticket, wait })) as unknown as Acquired
  }

  async release({ id }: { id: string }): Promise<void> {
    await this.call('release_lock', { lock_id: id })
  }

  async releaseAll(): Promise<void> {
    await this.call('release_lock', { all: true })
  }

  async locks(path: string): Promise<string[]> {
    const { locks } = await this.call('list_locks', { path })
    return (locks as { id: string }[]).map(({ id }) => id)
  }

  async waiting(path: string): Promise<number> {
    const { waiting } = await this.call('list_locks', { path })
    return (waiting as unknown[]).length
  }

  async write(path: string, text: string, { ifVersion, token }: WriteOptions = {}) {
    const terms = {
      ...(ifVersion === undefined ? {} : { if_version: ifVersion }),
      ...(token === undefined ? {} : { lock_token: token }),
    }
    const answer = await this.call('write_file', { path, content: text, ...terms })
    return { version: answer.version as number }
  }

  async read(path: string): Promise<string> {
    return (await this.call('read_text_file', { path })).content as string
  }

  async append(path: string, text: string) {
    const answer = await this.call('append_file', { path, content: text })
    return { version: answer.version as number }
  }

  async edit(path: string, oldText: string, newText: string): Promise<void> {
    await this.call('edit_file', { path, edits: [{ oldText, newText }] })
  }

  async remove(path: string): Promise<void> {
    await this.call('delete_file', { path })
  }

  end(): Promise<void> {
    return this.leave()
  }
}
