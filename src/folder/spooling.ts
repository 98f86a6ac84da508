import { dirname } from 'node:path'
import { fail } from '../contract/errors.ts'
import { pathsOfChange } from '../contract/event/file.ts'
import type { CommitChange, ContentFacts } from '../core/command.ts'
import { contentOf } from '../engine/file/contents.ts'
import type { Spool } from '../engine/working-tree.ts'
import type { Attachment } from '../store/ledger.ts'
import { refusedByDisk } from './disk-refusal.ts'
import { NEW_FILE } from './own-folder.ts'
import type { Parts } from './parts.ts'

/**
 * Contents on their way to the folder: written to their file system before the commit is decided, so
 * that a full or read-only disk refuses it (folder §9), and put in place by a rename after it.
 */
export class Spooling {
  private readonly parts: Parts
  private readonly decided = new Map<number, Map<string, string>>()

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** Throws the refusal of what the folder would not take. */
  spool(
    changes: readonly CommitChange[],
    attachments: readonly Attachment[],
  ): Spool | Promise<Spool> {
    const fresh = new Map<string, string>()
    const later: (() => Promise<void>)[] = []
    try {
      for (const change of changes) {
        if (change.kind === 'set-attributes') continue
        const device = this.assertPossible('to' in change ? change.to : change.path)
        if (change.kind !== 'write') continue
        const { path, content } = change
        const place = this.parts.roots.diskPath(path)
        const own = this.parts.ownFolder(place)
        const before = fresh.get(path)
        if (before !== undefined) this.parts.fs.remove(before)
        const bytes = attachments.find(({ sha256 }) => sha256 === content.sha256)?.bytes
        const name = bytes === undefined ? own.newName(place) : own.put(place, device, bytes)
        fresh.set(path, name)
        if (bytes === undefined) later.push(() => putContent(this.parts, name, content))
      }
    } catch (error) {
      this.drop(fresh)
      throw this.refused(changes, error)
    }
    if (later.length === 0) return this.spooled(fresh, changes)
    return this.copyAll(later).then(
      () => this.spooled(fresh, changes),
      (error: unknown) => {
        this.drop(fresh)
        throw this.refused(changes, error)
      },
    )
  }

  private refused(changes: readonly CommitChange[], error: unknown): unknown {
    const path = changes[0]?.path ?? '/'
    try {
      this.parts.presence.assertAt(path)
    } catch (missing) {
      return missing
    }
    return refusedByDisk(path, error)
  }

  private async copyAll(later: readonly (() => Promise<void>)[]): Promise<void> {
    for (const copy of later) await copy()
  }

  /** What the folder that it is to lie in says of it already; gives the device of that. */
  private assertPossible(path: string): bigint {
    const { fs, roots } = this.parts
    let folder = dirname(roots.diskPath(path))
    let stat = fs.stat(folder)
    while (stat === undefined && folder !== dirname(folder)) {
      folder = dirname(folder)
      stat = fs.stat(folder)
    }
    if (stat?.kind === 'folder' && !fs.mayWrite(folder)) {
      fail('forbidden', `${path}: the user that the server runs as may not write in that folder.`, {
        path,
        reason: 'EACCES',
      })
    }
    return stat?.device ?? 0n
  }

  private spooled(fresh: Map<string, string>, changes: readonly CommitChange[]): Spool {
    return {
      use: (revision) => {
        this.decided.set(revision, fresh)
        this.parts.pending.set(revision, changes.flatMap(pathsOfChange))
      },
      discard: () => this.drop(fresh),
    }
  }

  /** The contents that were made for a commit, by path. */
  freshOf(revision: number): Map<string, string> {
    return this.decided.get(revision) ?? new Map<string, string>()
  }

  /** The folder has followed that commit: what of it was not needed goes. */
  followed(revision: number): void {
    this.drop(this.freshOf(revision))
    this.decided.delete(revision)
  }

  /** What was not needed: a commit that was taken back, or refused. */
  drop(fresh: ReadonlyMap<string, string>): void {
    const { fs } = this.parts
    for (const name of fresh.values()) {
      if (fs.lstat(name) !== undefined) fs.remove(name)
    }
  }

  close(): void {
    for (const fresh of this.decided.values()) this.drop(fresh)
    this.decided.clear()
  }
}

/** Makes a new file of a content that is kept. */
export async function putContent(
  { context, fs }: Parts,
  name: string,
  facts: ContentFacts,
): Promise<void> {
  const content = contentOf(context.stream.overlay, context.blobs, facts)
  if (content.bytes !== undefined) fs.create(name, content.bytes, NEW_FILE)
  else await fs.createLarge(name, content.stream(), NEW_FILE)
}
