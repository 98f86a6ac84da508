import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { OWN_TEST, PLACES, type Place } from '../fixtures/toy/places.ts'
import { ROOT } from './source.ts'

const run = promisify(execFile)

interface Ended {
  code: number
  out: string
}

/** A file of tests, as vitest reports it. */
interface Told {
  name: string
  status: string
  message: string
  assertionResults: { failureMessages: string[] }[]
}

/** A copy of the tree with the toy in it, where the compiler and tests run as they do here. */
export class ToyTree {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-toy-'))
  /** What is not written by hand, as it was made with everything else in place. */
  private readonly made = new Map<string, string>()
  private hash = ''

  private constructor() {
    const { folder } = this
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
    cpSync(join(ROOT, 'test/fixtures/toy/story.ts'), join(folder, OWN_TEST))
  }

  static async grow(): Promise<ToyTree> {
    const tree = new ToyTree()
    tree.leaveOut()
    tree.hash = (await tree.node('--input-type=module', '-e', PRINT_HASH)).out.trim()
    await tree.node('src/cli/reference/write.ts')
    for (const name of readdirSync(join(tree.folder, REFERENCE))) {
      tree.made.set(join(REFERENCE, name), readFileSync(join(tree.folder, REFERENCE, name), 'utf8'))
    }
    tree.leaveOut()
    return tree
  }

  /** Writes every place anew, but not this one; of several insertions in it, not that one. */
  leaveOut(left?: Place, at?: number): void {
    const changed = new Map<string, string>()
    const change = (file: string, made: (text: string) => string): void => {
      changed.set(file, made(changed.get(file) ?? readFileSync(join(ROOT, file), 'utf8')))
    }
    for (const place of PLACES) {
      const { file, lines = [], whole, made } = place
      const isLeft = place === left
      for (const [index, { before, text }] of lines.entries()) {
        const isOut = isLeft && index === (at ?? index)
        change(file, (source) => (isOut ? source : inserted(source, before, text, file)))
      }
      if (whole !== undefined && !isLeft) changed.set(file, whole)
      if (whole !== undefined && isLeft) rmSync(join(this.folder, file), { force: true })
      if (made === 'pin' && this.hash !== '') {
        for (const [pin, to] of this.pins()) change(pin, (source) => (isLeft ? source : to(source)))
      }
      if (made !== 'reference') continue
      for (const [page, text] of this.made) change(page, (source) => (isLeft ? source : text))
    }
    for (const [file, text] of changed) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true })
      writeFileSync(join(this.folder, file), text)
    }
  }

  private pins(): [file: string, to: (text: string) => string][] {
    const raised = (_: string, before: string, version: string) => `${before}${Number(version) + 1}`
    return [
      ['src/contract/version.ts', (text) => text.replace(/(CONTRACT_VERSION = )(\d+)/, raised)],
      [
        'test/contract/contract.test.ts',
        (text) =>
          text
            .replace(/(PINNED = \{ version: )(\d+)/, raised)
            .replace(/hash: '\w+'/, `hash: '${this.hash}'`),
      ],
    ]
  }

  /** What the compiler says; nothing where it is content. */
  async types(): Promise<string> {
    const tsc = ['node_modules/typescript/bin/tsc', '--noEmit', '--incremental']
    return (await this.node(...tsc, '--tsBuildInfoFile', 'toy.tsbuildinfo')).out
  }

  async lint(): Promise<string> {
    const { code, out } = await this.node('node_modules/@biomejs/biome/bin/biome', 'check', '.')
    return code === 0 ? '' : out
  }

  /** What fails, by the file of the test. `named`: only tests whose name has it. */
  async failing(files: readonly string[], named?: string): Promise<Record<string, string[]>> {
    const only = named === undefined ? [] : ['-t', named]
    const report = join(this.folder, 'toy.json')
    rmSync(report, { force: true })
    const to = ['--reporter=json', `--outputFile=${report}`]
    const { out } = await this.node(VITEST, 'run', ...to, ...only, ...files)
    if (!existsSync(report)) throw new Error(out)
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: Told[] }
    if (testResults.length !== files.length) throw new Error(`not all of ${files.join()}: ${out}`)
    const failed = testResults.filter(({ status }) => status !== 'passed')
    return Object.fromEntries(
      failed.map(({ name, message, assertionResults }) => [
        files.find((file) => name.endsWith(file)) ?? name,
        [message, ...assertionResults.flatMap((one) => one.failureMessages)],
      ]),
    )
  }

  private async node(...words: string[]): Promise<Ended> {
    const cwd = this.folder
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name)))
    try {
      const { stdout } = await run(process.execPath, words, { cwd, env, maxBuffer: 1e8 })
      return { code: 0, out: stdout }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, out: `${stdout}${stderr}` }
    }
  }

  fell(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function inserted(source: string, before: string, text: string, file: string): string {
  const parts = source.split(before)
  if (parts.length === 2) return parts.join(text + before)
  throw new Error(`"${before}" occurs ${parts.length - 1} times in ${file}`)
}

const COPIED = [
  ...['src', 'test', 'sim', 'bench', 'docs'],
  ...['package.json', 'tsconfig.json', 'vitest.config.ts', 'biome.json', '.gitignore'],
]
const REFERENCE = 'docs/reference'
const VITEST = 'node_modules/vitest/vitest.mjs'
const PRINT_HASH =
  "import { hashOfSchemas } from './test/contract/public-schemas.ts'; console.log(hashOfSchemas())"
/** What says how this test runs is not for those in there. */
const OURS = /^(VITEST.*|TEST.*|AMOUNT|NODE_ENV|MODE|PROD|DEV|SSR|BASE_URL)$/

export function placeOf(file: string): Place {
  const place = PLACES.find((one) => one.file === file)
  if (place === undefined) throw new Error(`no place in ${file}`)
  return place
}
