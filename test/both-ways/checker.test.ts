import { describe, expect, it } from 'vitest'
import { check } from './checker.ts'
import { block, mark, readingOf, remarked, sha256Of } from './content.ts'
import type { Evidence, Version } from './evidence.ts'
import type { Entry } from './log.ts'

const PATH = '/src/main.ts'
const text = (unit: string): string => block(unit, PATH, 300)

/** A run in which all went well; each test spoils one thing of it. */
class Run {
  readonly log: Entry[] = []
  readonly versions: Version[] = []
  readonly contents = new Map<string, string>()
  heads = new Map<string, string>()
  folder = new Map<string, string>()
  left: string[] = []
  isReadable = true
  isBeyondReach = false

  version(agent: string, content: string, at: number, message?: string): number {
    const sha256 = sha256Of(content)
    const revision = this.versions.length + 1
    this.contents.set(sha256, content)
    const facts = { revision, path: PATH, how: 'write', agent, sha256, size: content.length }
    this.versions.push({ ...facts, at, message })
    this.heads.set(PATH, sha256)
    this.folder.set(PATH, sha256)
    return revision
  }

  asked(unit: string, version: number, at: number): void {
    const sha256 = sha256Of(text(unit))
    const of = { kind: 'asked', by: 'agent-1', how: 'write', path: PATH, unit, sha256 } as const
    this.log.push({ ...of, version, from: at, to: at + 5 })
  }

  saved(unit: string, at: number): void {
    this.log.push({ kind: 'saved', by: 'vim', way: 'vim', path: PATH, unit, from: at, to: at + 2 })
  }

  async kinds(): Promise<string[]> {
    const evidence: Evidence = {
      ...this,
      restedAt: 100_000,
      contentOf: async ({ sha256 }) => {
        const content = this.contents.get(sha256)
        return content === undefined ? undefined : readingOf(content)
      },
      isReadable: async () => this.isReadable,
      isBeyondReach: () => this.isBeyondReach,
      listed: new Set(this.versions.map(({ revision }) => revision)),
      later: this,
      troubles: [],
    }
    return (await check(evidence)).findings.map(({ kind }) => kind)
  }
}

function wellRun(): Run {
  const run = new Run()
  run.asked('agent-1.1', run.version('agent-1', text('agent-1.1'), 1000), 1000)
  run.saved('vim.1', 2000)
  run.version('outside', text('vim.1'), 2060)
  run.asked('agent-1.2', run.version('agent-1', text('agent-1.2'), 6000), 6000)
  return run
}

describe('contents that say whether they are whole', () => {
  const whole = text('vim.1') + text('shell-1.1')

  it('a whole text names the blocks and marks in it', () => {
    const { units, fault } = readingOf(remarked(whole, 'shell-2.1'))
    expect(fault).toBeUndefined()
    expect([...units].sort()).toEqual(['shell-1.1', 'shell-2.1', 'vim.1'])
  })

  it('no beginning or end of a text passes for a whole one, but at the end of a block', () => {
    for (let end = 0; end < whole.length; end++) {
      if (end === text('vim.1').length) continue
      expect(readingOf(whole.slice(0, end)).fault, `${end}`).toBeDefined()
      expect(readingOf(whole.slice(whole.length - end)).fault === undefined).toBe(
        end === text('shell-1.1').length,
      )
    }
  })

  it('halves of two texts, a changed byte and half a mark are no whole text', () => {
    const other = text('vim.2')
    expect(readingOf(whole.slice(0, 200) + other.slice(200)).fault).toBeDefined()
    expect(readingOf(`${whole.slice(0, 150)}x${whole.slice(151)}`).fault).toBeDefined()
    expect(readingOf(whole.replace(mark('none'), mark('a.1').slice(0, -1))).fault).toBeDefined()
  })
})

describe('the checker', () => {
  it('finds nothing in a run where all went well', async () => {
    expect(await wellRun().kinds()).toEqual([])
  })

  it('finds an acknowledged write that is not in the history', async () => {
    const run = wellRun()
    run.versions.shift()
    expect(await run.kinds()).toEqual(['lost-acknowledged'])
  })

  it('finds an acknowledged write whose version has another content, or none', async () => {
    for (const sha256 of [sha256Of(text('vim.1')), '']) {
      const run = wellRun()
      ;(run.versions[0] as Version).sha256 = sha256
      expect(await run.kinds()).toContain('lost-acknowledged')
    }
  })

  it('finds an acknowledged write that cannot be read any more, while its path is followed', async () => {
    const run = wellRun()
    run.isReadable = false
    expect(await run.kinds()).toEqual(['lost-acknowledged', 'lost-acknowledged'])
    run.isBeyondReach = true
    expect(await run.kinds()).toEqual([])
  })

  it('finds a save that stood and is not in the history', async () => {
    const run = wellRun()
    run.saved('vim.2', 10_000)
    expect(await run.kinds()).toEqual(['lost-save'])
  })

  it('finds a save that an agent replaced at once', async () => {
    const run = wellRun()
    run.saved('vim.2', 10_000)
    run.asked('agent-1.3', run.version('agent-1', text('agent-1.3'), 10_010), 10_010)
    run.saved('vim.3', 10_030)
    run.version('outside', text('vim.3'), 10_090)
    expect(await run.kinds()).toEqual(['lost-save'])
  })

  it('says that an agent was at work when a save was lost between two system calls', async () => {
    const run = wellRun()
    run.asked('agent-1.3', run.version('agent-1', text('agent-1.3'), 10_002), 10_000)
    run.saved('vim.2', 10_001)
    expect(await run.kinds()).toEqual(['lost-save'])
  })

  it('asks for no save that another outsider replaced at once', async () => {
    const run = wellRun()
    run.saved('vim.2', 10_000)
    run.saved('vim.3', 10_100)
    run.version('outside', text('vim.3'), 10_160)
    expect(await run.kinds()).toEqual([])
  })

  it('finds half a read, but for one of a writer that had stopped in the middle', async () => {
    const half = readingOf(text('vim.1').slice(0, 100)).fault as string
    const read = { kind: 'read', by: 'agent-1', path: PATH, from: 7000, to: 7010, half } as const
    const run = wellRun()
    run.log.push(read)
    expect(await run.kinds()).toEqual(['half-read'])
    const open = { from: 6990, to: 7200 }
    const of = { kind: 'saved', by: 'vim', way: 'vim', path: PATH, unit: 'vim.2', open } as const
    run.log.push({ ...of, from: 6980, to: 7210 })
    run.version('outside', text('vim.2'), 7300)
    expect(await run.kinds()).toEqual([])
  })

  it('finds half a version', async () => {
    const run = wellRun()
    run.version('outside', text('vim.2').slice(0, 100), 8000)
    expect(await run.kinds()).toEqual(['half-version'])
  })

  it('finds a read that is not of the version it says', async () => {
    const run = wellRun()
    const seen = { version: 1, sha256: sha256Of(text('vim.1')) }
    run.log.push({ kind: 'read', by: 'agent-1', path: PATH, from: 7000, to: 7010, seen })
    expect(await run.kinds()).toEqual(['other-read'])
  })

  it('finds an echo, but for what somebody has brought back', async () => {
    const run = wellRun()
    run.version('outside', text('agent-1.1'), 8000)
    expect(await run.kinds()).toEqual(['echo'])
    const restored = [{ path: PATH, sha256: sha256Of(text('agent-1.1')) }]
    const of = { kind: 'touched', by: 'shell-1', way: 'git checkout', paths: [PATH] } as const
    run.log.push({ ...of, restored, from: 7900, to: 7950 })
    expect(await run.kinds()).toEqual([])
  })

  it('finds a folder that is not as the records say, each way', async () => {
    for (const spoil of [
      (run: Run) => run.folder.set(PATH, 'other'),
      (run: Run) => run.folder.delete(PATH),
      (run: Run) => run.heads.delete(PATH),
    ]) {
      const run = wellRun()
      run.heads = new Map(run.heads)
      spoil(run)
      expect(await run.kinds()).toEqual(['apart'])
    }
  })

  it('finds what is left over, and refusals that are in no document', async () => {
    const run = wellRun()
    run.left.push('/.sluice/held/1')
    run.log.push({
      ...{ kind: 'read', by: 'agent-1', path: PATH, from: 7000, to: 7010, refused: 'internal' },
    })
    expect((await run.kinds()).sort()).toEqual(['left-over', 'refused'])
  })
})
