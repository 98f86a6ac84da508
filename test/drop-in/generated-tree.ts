import type { Random } from '../chaos/random.ts'
import type { Entry } from './folder/entry.ts'

/**
 * What generated calls believe to be there. It is told what each of them should do and never looks: where
 * it is wrong, the next calls are about what is missing, and that is compared as well.
 */
export class GeneratedTree {
  private readonly random: Random
  /** Small texts, by their paths. */
  private texts = new Map<string, string>()
  /** All else: folders, links, media, and what is large. */
  private others = new Set<string>()
  private folders = new Set<string>([''])

  constructor(random: Random, entries: readonly Entry[]) {
    this.random = random
    for (const entry of entries) {
      this.madeFolder(parentOf(entry.path))
      if (entry.kind === 'folder') this.madeFolder(entry.path)
      else if (entry.kind === 'file' && isText(entry.bytes)) {
        this.texts.set(entry.path, entry.bytes.toString('utf8'))
      } else this.others.add(entry.path)
    }
  }

  textPath(): string {
    return this.random.pick([...this.texts.keys()])
  }

  folderPath(): string {
    return this.random.pick([...this.folders])
  }

  anyPath(): string {
    const kind = this.random.pick([this.texts, this.others, this.folders])
    return this.random.pick([...kind.keys()])
  }

  textAt(path: string): string {
    return this.texts.get(path) ?? ''
  }

  wrote(path: string, content: string): void {
    if (this.folders.has(parentOf(path))) this.texts.set(path, content)
  }

  madeFolder(path: string): void {
    if (path.split('/').length > DEPTH_MOST) return
    for (let at = path; at !== '' && !this.texts.has(at); at = parentOf(at)) this.folders.add(at)
  }

  moved(source: string, destination: string): void {
    const isTaken = this.texts.has(destination) || this.folders.has(destination)
    if (isTaken || destination.startsWith(`${source}/`)) return
    const movedTo = (path: string): string => {
      const isMoved = path === source || path.startsWith(`${source}/`)
      return isMoved ? destination + path.slice(source.length) : path
    }
    this.texts = new Map([...this.texts].map(([path, text]) => [movedTo(path), text]))
    this.folders = new Set([...this.folders].map(movedTo))
    this.others = new Set([...this.others].map(movedTo))
  }
}

/** What is deeper is left to the calls that were thought of: else most folders would be of one branch. */
const DEPTH_MOST = 6

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function isText(bytes: Buffer): boolean {
  return (
    bytes.length < 8192 && !bytes.includes(0) && Buffer.from(bytes.toString('utf8')).equals(bytes)
  )
}
