import { Random } from '../chaos/random.ts'
import { type Call, callsOf, type Row } from './call.ts'
import type { Entry } from './folder/entry.ts'
import { edited, editOf, type GeneratedEdit, newText } from './generated-text.ts'
import { GeneratedTree } from './generated-tree.ts'

/** Calls that chance makes of what is there: the same seed makes the same calls. */
export function generatedCalls(seed: number, entries: readonly Entry[], count: number): Call[] {
  const random = new Random(seed).fork('calls')
  const generator = new Generator(random, new GeneratedTree(random, entries))
  const rows: Row[] = []
  while (rows.length < count) rows.push(...generator.next())
  return callsOf(`seed ${seed},`, rows)
}

class Generator {
  private readonly random: Random
  private readonly tree: GeneratedTree
  private made = 0

  constructor(random: Random, tree: GeneratedTree) {
    this.random = random
    this.tree = tree
  }

  next(): Row[] {
    const { random } = this
    return random
      .weighted([
        { weight: 20, rows: () => [this.read()] },
        { weight: 5, rows: () => [this.readSeveral()] },
        { weight: 4, rows: () => [row('read_media_file', { path: this.anyPath() })] },
        { weight: 14, rows: () => this.write() },
        { weight: 18, rows: () => this.edit() },
        { weight: 6, rows: () => [this.makeFolder()] },
        { weight: 12, rows: () => [this.list()] },
        { weight: 5, rows: () => [this.drawTree()] },
        { weight: 10, rows: () => [this.move()] },
        { weight: 10, rows: () => [this.search()] },
        { weight: 6, rows: () => [row('get_file_info', { path: this.anyPath() })] },
      ])
      .rows()
  }

  private read(): Row {
    const { random } = this
    const part = random.pick([{}, {}, { head: random.int(8) + 1 }, { tail: random.int(8) + 1 }])
    const tool = random.chance(0.1) ? 'read_file' : 'read_text_file'
    return row(tool, { path: this.anyPath(), ...part })
  }

  private readSeveral(): Row {
    const paths = Array.from({ length: this.random.int(5) + 1 }, () => this.anyPath())
    return row('read_multiple_files', { paths })
  }

  /** What is overwritten was read before: a server may ask for that. */
  private write(): Row[] {
    const { random, tree } = this
    const content = newText(random)
    if (random.chance(0.5)) {
      const path = tree.textPath()
      const rows = [
        row('read_text_file', { path: written(path) }),
        row('write_file', { path: written(path), content }),
      ]
      tree.wrote(path, content)
      return rows
    }
    const path = random.chance(0.9) ? this.newPath() : `${this.newPath()}/x.txt`
    tree.wrote(path, content)
    return [row('write_file', { path: this.said(path), content })]
  }

  private edit(): Row[] {
    const { random, tree } = this
    const path = tree.textPath()
    const edits: GeneratedEdit[] = []
    let text = tree.textAt(path)
    for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
      const edit = editOf(random, text)
      edits.push(edit)
      text = edited(text, edit)
    }
    const dryRun = random.pick([undefined, undefined, true, false])
    if (dryRun !== true) tree.wrote(path, text)
    const args = { path: this.said(path), edits, ...(dryRun === undefined ? {} : { dryRun }) }
    return [row('edit_file', args)]
  }

  private makeFolder(): Row {
    const { random, tree } = this
    const path = random.chance(0.8) ? this.newPath() : tree.anyPath()
    tree.madeFolder(path)
    return row('create_directory', { path: this.said(path) })
  }

  private list(): Row {
    const { random } = this
    const path = this.folderPath()
    return random.pick([
      row('list_directory', { path }),
      row('list_directory_with_sizes', { path }),
      row('list_directory_with_sizes', { path, sortBy: random.pick(['name', 'size']) }),
    ])
  }

  private drawTree(): Row {
    const { random } = this
    const path = this.folderPath()
    const excludePatterns = Array.from({ length: random.int(3) }, () => this.pattern())
    return row(
      'directory_tree',
      excludePatterns.length === 0 ? { path } : { path, excludePatterns },
    )
  }

  private search(): Row {
    const { random } = this
    const args = { path: this.folderPath(), pattern: this.pattern() }
    const excludePatterns = Array.from({ length: random.int(3) }, () => this.pattern())
    return row('search_files', excludePatterns.length === 0 ? args : { ...args, excludePatterns })
  }

  private move(): Row {
    const { random, tree } = this
    const source = random.chance(0.7) ? tree.textPath() : tree.anyPath()
    const destination = random.chance(0.8) ? this.newPath() : tree.anyPath()
    tree.moved(source, destination)
    return row('move_file', { source: this.said(source), destination: this.said(destination) })
  }

  private anyPath(): string {
    const { random, tree } = this
    return this.said(
      random.pick([tree.textPath(), tree.textPath(), tree.anyPath(), tree.anyPath()]),
    )
  }

  private folderPath(): string {
    const { random, tree } = this
    return this.said(random.chance(0.9) ? tree.folderPath() : tree.anyPath())
  }

  private newPath(): string {
    this.made += 1
    const name = this.random.pick(['new', 'näu', '.new', 'new one', '漢', '\u{1f600}', 'NEW'])
    const ending = this.random.pick(['.txt', '.ts', '.md', ''])
    return `${this.tree.folderPath()}/${name}-${this.made}${ending}`.replace(/^\//, '')
  }

  /** One path can be written in many ways, and some of them lead nowhere. */
  private said(path: string): string {
    const { random } = this
    const way = random.int(24)
    if (way === 0) return path
    if (way === 1) return `./${path}`
    if (way === 2) return `@/docs/../${path}`
    if (way === 3) return `@//${path}/`
    if (way === 4)
      return random.pick([`@/${path}/below`, `@/${path}-missing`, `../outside/${path}`])
    return written(path)
  }

  private pattern(): string {
    const { random, tree } = this
    const name = tree.anyPath().split('/').at(-1) ?? ''
    const part = [...name].slice(0, 3).join('')
    return random.pick([
      ...['*', '**', '**/*.ts', '**/*.{md,txt}', '*.txt', '**/new*', '**/[a-m]*', '**/.*', '*/*'],
      ...[
        '**/?????',
        'src/**',
        '**/lib/**',
        '!**/*.txt',
        name,
        `**/${name}`,
        `${part}*`,
        `**/*${part}*`,
      ],
    ])
  }
}

function written(path: string): string {
  return path === '' ? '@' : `@/${path}`
}

function row(tool: string, args: unknown): Row {
  return [tool, 'by chance', args]
}
