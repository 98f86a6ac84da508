import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Settings } from '../../src/contract/events.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { FolderTree } from '../../src/folder/folder-tree.ts'
import { diskFileSystem } from '../../src/store/file-system/disk.ts'
import type { FileSystem } from '../../src/store/file-system.ts'
import { EngineWorld } from '../engine/world.ts'
import { Life } from './mortal.ts'

/** A workspace over a real folder, with the engine in this process: killed and started at will. */
export class FolderWorld extends EngineWorld {
  protected override engineClock = systemClock()
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-folder-')))
  roots: string[] = [this.root]
  life = new Life()
  tree!: FolderTree
  fs: FileSystem = diskFileSystem
  /** How far the machine's clock is set from what files are stamped by, in ms. */
  clockOffMs = 0
  private isNew = true

  /** @param files by path from the root; a path that ends in `/` is a folder */
  static async of(
    files: Readonly<Record<string, string | Uint8Array>>,
    settings: Partial<Settings> = {},
  ): Promise<FolderWorld> {
    const world = new FolderWorld()
    for (const [path, content] of Object.entries(files)) world.write(path, content)
    await world.begin()
    if (Object.keys(settings).length > 0) {
      await world.call('admin', 'put_workspace', { workspace: 'main', settings })
    }
    return world
  }

  /** Starts, and waits until the scan is through. */
  async begin(): Promise<void> {
    await this.start()
    await this.tree.scanned()
  }

  override async start(): Promise<void> {
    await this.life.settled()
    this.life = new Life()
    const { life } = this
    this.wrap = (ledger) => life.ledger(ledger)
    this.wrapTables = (tables) => life.tables(tables)
    this.tree = new FolderTree({
      fs: life.fileSystem(this.fs),
      roots: this.roots,
      isNew: this.isNew,
      wallNow: () => Date.now() + this.clockOffMs,
      log: (message, error) => {
        if (!life.isOver) this.logged.push(`${message}: ${String(error)}`)
      },
    })
    this.extensions = {
      workingTreeOf: (name) => (name === 'main' ? this.tree : undefined),
      workspaces: { main: { portable_names: false } },
    }
    this.isNew = false
    await super.start()
  }

  /** The process is killed, and another is started on what it left. */
  override async crash(): Promise<void> {
    this.life.end()
    await this.begin()
  }

  override async restart(): Promise<void> {
    await this.engine.close()
    await this.begin()
  }

  async end(): Promise<void> {
    if (!this.life.isOver) await this.engine.close()
    for (const root of this.roots) rmSync(root, { recursive: true, force: true })
  }

  // ——— What somebody outside does

  path(path: string): string {
    return join(this.root, path)
  }

  write(path: string, content: string | Uint8Array): void {
    const file = this.path(path)
    mkdirSync(path.endsWith('/') ? file : dirname(file), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(file, content)
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8')
  }

  isThere(path: string): boolean {
    return existsSync(this.path(path))
  }

  shell(line: string): string {
    return execFileSync('/bin/sh', ['-c', line], { cwd: this.root, encoding: 'utf8' })
  }

  /** All files outside of our own folder, with their contents. */
  files(): Record<string, string> {
    const found: Record<string, string> = {}
    const walk = (folder: string): void => {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name)
        if (name === '.sluice') continue
        if (statSync(path).isDirectory()) walk(path)
        else found[`/${relative(this.root, path)}`] = readFileSync(path, 'utf8')
      }
    }
    walk(this.root)
    return found
  }

  // ——— What the server says

  /** Resolves once `holds` does; throws what it last said after five seconds. */
  async eventually(holds: () => Promise<boolean> | boolean, what = 'it'): Promise<void> {
    for (const deadline = Date.now() + 5000; Date.now() < deadline; await pause(15)) {
      if (await holds()) return
    }
    throw new Error(`${what} did not come about`)
  }

  async history(path: string) {
    const { versions } = await this.call('admin', 'get_history', { path })
    return versions
  }

  /** Contents of all kept versions, the oldest first. */
  async contents(path: string): Promise<string[]> {
    const contents: string[] = []
    for (const { version, how, sha256 } of (await this.history(path)).reverse()) {
      if (how === 'delete') contents.push('(deleted)')
      else
        contents.push(sha256 === undefined ? '(not kept)' : await this.text('admin', path, version))
    }
    return contents
  }

  /** What the records have, by path: the head of every file. */
  async heads(): Promise<Record<string, string>> {
    const { entries } = (await this.call('admin', 'get_entry', { path: '/', depth: 64 })) as {
      entries: { path: string; kind: string }[]
    }
    const heads: Record<string, string> = {}
    for (const { path, kind } of entries) {
      if (kind === 'file') heads[path] = await this.text('admin', path)
    }
    return heads
  }

  async rewrite(who: string, path: string, content: string) {
    return this.call(who, 'write_file', { path }, content)
  }
}
