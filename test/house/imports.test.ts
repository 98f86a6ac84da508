import { describe, expect, it } from 'vitest'
import { filesIn, importsOf, type SourceFile } from './source.ts'

/**
 * The direction that data and imports take (docs/architecture.md):
 *
 *   contract ◄ core ◄ engine ► store     face ► http-kit ► engine/api     client ◄ cli
 */
const ALLOWED: Record<string, readonly string[]> = {
  contract: ['contract'],
  core: ['contract', 'core'],
  text: ['contract', 'text'],
  store: ['store'],
  engine: ['contract', 'core', 'engine', 'store', 'text'],
  // A follower: it knows the engine, and the engine knows only what it asks of a working tree.
  folder: ['contract', 'core', 'engine', 'folder', 'store'],
  face: ['contract', 'face/media-type.ts', 'engine/api.ts'],
  // What any door over HTTP needs; it knows no face.
  'face/http-kit': ['contract', 'face/http-kit', 'face/media-type.ts', 'engine/api.ts'],
  // Faces share the kit, and know nothing of each other.
  'face/http': ['contract', 'face/http', 'face/http-kit', 'engine/api.ts'],
  'face/mcp': ['contract', 'face/mcp', 'face/http-kit', 'face/media-type.ts', 'engine/api.ts'],
  'face/socket': ['contract', 'face/socket', 'face/http-kit', 'engine/api.ts'],
  client: ['contract', 'client'],
  // `serve` starts the server, `mcp` speaks MCP over the client; nothing else of the inside.
  cli: [
    ...['contract', 'client', 'cli', 'face/mcp', 'server.ts', 'server-note.ts'],
    'folder/own-name.ts',
  ],
}

/** The little that each part takes from outside, so that a new dependency is a decision. */
const PACKAGES: Record<string, RegExp> = {
  contract: /^zod$/,
  core: /^$/,
  text: /^(diff|node:(buffer|worker_threads))$/,
  store: /^(node:|msgpackr$)/,
  engine: /^(node:crypto|msgpackr)$/,
  folder: /^(node:(crypto|fs|path)|ignore)$/,
  face: /^(node:|fastify$|@fastify\/(cors|swagger-ui)$|zod$|ws$|msgpackr$|prom-client$|minimatch$|mime-types$|file-type$|@modelcontextprotocol\/(server|node)(\/stdio)?$)/,
  client: /^(msgpackr|ws)$/,
  cli: /^(node:|commander$|pino$|zod$)/,
}

function partOf(path: string): string {
  return path.split('/')[1] as string
}

/** The narrowest rule there is for a file. */
function allowedFor(path: string): readonly string[] | undefined {
  const [, part, room] = path.split('/')
  return ALLOWED[`${part}/${room}`] ?? ALLOWED[part as string]
}

function sources(): SourceFile[] {
  return filesIn('src', '.ts').filter((file) => !file.path.endsWith('.test.ts'))
}

describe('the house', () => {
  it('imports go one way', () => {
    const wrong: string[] = []
    for (const file of sources()) {
      const allowed = allowedFor(file.path)
      if (allowed === undefined) continue
      for (const target of importsOf(file)) {
        if (!target.startsWith('src/')) continue
        const inside = target.slice('src/'.length)
        if (!allowed.some((part) => inside === part || inside.startsWith(`${part}/`))) {
          wrong.push(`${file.path} imports ${target}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('each part takes only its own packages from outside', () => {
    const wrong: string[] = []
    for (const file of sources()) {
      const allowed = PACKAGES[partOf(file.path)]
      if (allowed === undefined) continue
      for (const target of importsOf(file)) {
        if (!target.startsWith('src/') && !allowed.test(target)) {
          wrong.push(`${file.path} imports ${target}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('no file imports itself by way of others', () => {
    const imports = new Map(sources().map((file) => [file.path, importsOf(file)]))
    expect(circlesIn(imports)).toEqual([])
  })

  it('a circle is found', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['a']],
      ['d', []],
    ])
    expect(circlesIn(imports)).toEqual(['a → b → c → a'])
  })

  it('every part has a rule here', () => {
    const parts = new Set(sources().map((file) => partOf(file.path)))
    const known = [...Object.keys(ALLOWED), 'server.ts', 'server-note.ts']
    expect([...parts].filter((part) => !known.includes(part))).toEqual([])
  })

  it('the core knows no clock, no chance, no timers and no outside', () => {
    const banned =
      /\b(Date\.now|new Date|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|performance\.|globalThis|await |Promise\b|console\.)/
    const wrong = sources()
      .filter((file) => partOf(file.path) === 'core')
      .flatMap((file) =>
        file.text
          .split('\n')
          .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && banned.test(line))
          .map((line) => `${file.path}: ${line.trim()}`),
      )
    expect(wrong).toEqual([])
  })
})

/** The first way round from each file, types included: who reads one of them has to read them all. */
function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const isDone = new Set<string>()
  const visit = (file: string, way: readonly string[]): void => {
    const begins = way.indexOf(file)
    if (begins >= 0) circles.push([...way.slice(begins), file].join(' → '))
    if (begins >= 0 || isDone.has(file)) return
    for (const target of imports.get(file) ?? []) visit(target, [...way, file])
    isDone.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return circles
}
