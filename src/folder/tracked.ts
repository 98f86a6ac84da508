import ignore, { type Ignore } from 'ignore'
import { childPath, parentPath } from '../contract/path.ts'
import type { FileSystem, Listed } from '../store/file-system.ts'
import { isBeside, OWN_FOLDER } from './own-name.ts'
import type { Roots } from './roots.ts'

/**
 * What of a folder is tracked (folder §3): all but what `.gitignore`, `.sluiceignore` and a list of our
 * own name. The rules are git's: those of a deeper folder win, and nothing below an ignored folder can
 * be taken back in.
 */
export class Tracked {
  private readonly fs: FileSystem
  private readonly roots: Roots
  private readonly folders = new Map<string, FolderRules>()

  constructor(fs: FileSystem, roots: Roots) {
    this.fs = fs
    this.roots = roots
  }

  /** Whether a path is tracked. @param isFolder patterns that end in `/` mean folders only */
  has(path: string, isFolder: boolean): boolean {
    return this.reason(path, isFolder) === undefined
  }

  /** Why a path is not tracked: the file that says so, or "built-in". */
  reason(path: string, isFolder: boolean): string | undefined {
    if (this.roots.tops.includes(path) || path === '/') return undefined
    if (isBeside(path.slice(path.lastIndexOf('/') + 1))) return 'built-in'
    const parent = this.rulesOf(parentPath(path))
    return parent.untracked ?? this.ruling(parent, path, isFolder)
  }

  /** Its names are known, so it need not be asked for files of patterns. */
  enter(folder: string, names: readonly Listed[]): void {
    if (this.folders.has(folder)) return
    this.rulesOf(folder, new Set(names.map(({ name }) => name)))
  }

  /** Patterns may be others now. */
  forget(): void {
    this.folders.clear()
  }

  private rulesOf(folder: string, names?: ReadonlySet<string>): FolderRules {
    const known = this.folders.get(folder)
    if (known !== undefined) return known
    const isTop = this.roots.tops.includes(folder) || folder === '/'
    const above = isTop ? undefined : this.rulesOf(parentPath(folder))
    const untracked =
      above === undefined ? undefined : (above.untracked ?? this.ruling(above, folder, true))
    const own = untracked === undefined ? this.patternsIn(folder, isTop, names) : []
    const rules = { folder, above, untracked, own }
    this.folders.set(folder, rules)
    return rules
  }

  private ruling(rules: FolderRules, path: string, isFolder: boolean): string | undefined {
    for (let at: FolderRules | undefined = rules; at !== undefined; at = at.above) {
      const start = at.folder === '/' ? 1 : at.folder.length + 1
      const relative = isFolder ? `${path.slice(start)}/` : path.slice(start)
      for (const { source, patterns } of at.own) {
        const { ignored, unignored } = patterns.test(relative)
        if (ignored) return source
        if (unignored) return undefined
      }
    }
    return undefined
  }

  /** The last of them has the least to say. */
  private patternsIn(
    folder: string,
    isTop: boolean,
    names: ReadonlySet<string> | undefined,
  ): Patterns[] {
    const found: Patterns[] = []
    for (const name of ['.sluiceignore', '.gitignore']) {
      if (names?.has(name) !== false) this.addFile(found, folder, name)
    }
    if (!isTop) return found
    this.addFile(found, folder, '.git/info/exclude')
    found.push({ source: 'built-in', patterns: BUILT_IN })
    return found
  }

  private addFile(found: Patterns[], folder: string, name: string): void {
    const path = childPath(folder, name)
    const disk = this.roots.diskPath(path)
    const stat = this.fs.stat(disk)
    if (stat?.kind !== 'file' || stat.size > PATTERNS_BYTES) return
    const file = this.fs.open(this.fs.realPath(disk) ?? disk)
    try {
      const text = Buffer.from(file.readAll()).toString('utf8')
      found.push({ source: path, patterns: ignore({ allowRelativePaths: true }).add(text) })
    } finally {
      file.close()
    }
  }
}

interface Patterns {
  source: string
  patterns: Ignore
}

interface FolderRules {
  folder: string
  above: FolderRules | undefined
  /** Why all in it is untracked. */
  untracked: string | undefined
  own: readonly Patterns[]
}

/** Files whose change may change what is tracked. */
export function isPatternFile(path: string): boolean {
  return path.endsWith('/.gitignore') || path.endsWith('/.sluiceignore')
}

/** git keeps what it has in order by itself: it is read, and never written through Sluice. */
export function isInGit(path: string): boolean {
  return path.includes('/.git/') || path.endsWith('/.git')
}

const PATTERNS_BYTES = 1024 * 1024

const BUILT_IN = ignore().add([
  ...['.git', '.hg', '.svn', OWN_FOLDER, 'node_modules', '.venv', '__pycache__', '.cache'],
  ...['.pytest_cache', '.mypy_cache', '.ruff_cache', '.tox', '.gradle', '.terraform', '.DS_Store'],
])
