import { describe, expect, it } from 'vitest'
import { EngineWorld } from './world.ts'

describe('reading and writing', () => {
  it('files §5: a read answers with its version and says who holds it', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'x')
    await world.lock('bob', '/f', { intent: 'rewrite' })
    expect(await world.call('cyd', 'read_file', { path: '/f' })).toMatchObject({
      version: 1,
      size: 1,
      modified_by: { agent: 'ann' },
      lock: { agent: 'bob', intent: 'rewrite' },
    })
  })

  it('files §5: at reads an older version, by any revision', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one')
    await world.call('ann', 'write_file', { path: '/g' }, '-')
    await world.call('ann', 'write_file', { path: '/f' }, 'two')
    expect(await world.text('bob', '/f', 1)).toBe('one')
    expect(await world.text('bob', '/f', 2)).toBe('one')
    expect(await world.text('bob', '/f', 3)).toBe('two')
    expect(await world.code(world.text('bob', '/g', 1))).toBe('not_found')
    expect(await world.code(world.text('bob', '/f', 99))).toBe('not_found')
  })

  it('files §9: reading makes the version known, for that session alone', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'x')
    await world.text('bob', '/f')
    const other = world.call('bob:second', 'write_file', { path: '/f' }, 'y')
    expect(await world.code(other)).toBe('unseen_version')
    await world.call('bob', 'write_file', { path: '/f' }, 'y')
    expect(await world.code(world.call('ann', 'write_file', { path: '/f' }, 'z'))).toBe(
      'stale_version',
    )
  })

  it('files §6: a large content streams in and out, by its hash', async () => {
    const world = await EngineWorld.start()
    const part = new Uint8Array(100_000).map((_, i) => i % 251)
    async function* parts() {
      for (let i = 0; i < 20; i++) yield part
    }
    const caller = await world.caller('ann')
    const written = await world.engine.call({
      operation: 'write_file',
      input: { workspace: 'main', path: '/big' },
      caller,
      content: parts(),
    })
    expect(written.value).toMatchObject({ size: 2_000_000, created: true })
    const { content } = await world.answer('bob', 'read_file', { path: '/big' })
    const cut: number[] = []
    for await (const chunk of content?.stream(99_999, 100_001) ?? []) cut.push(...chunk)
    expect(cut).toEqual([99_999 % 251, 0])
  })

  it('files §7, locks §34: an upload that breaks off leaves nothing behind', async () => {
    const world = await EngineWorld.start()
    async function* broken() {
      yield new Uint8Array(100_000)
      throw new Error('connection lost')
    }
    const caller = await world.caller('ann')
    await expect(
      world.engine.call({
        operation: 'write_file',
        input: { workspace: 'main', path: '/big' },
        caller,
        content: broken(),
      }),
    ).rejects.toThrow('connection lost')
    expect(await world.code(world.text('ann', '/big'))).toBe('not_found')
    expect(world.engine.revision('main')).toBe(0)
  })

  it('files §10: a large upload is refused before it is sent, where that is known', async () => {
    const world = await EngineWorld.start()
    await world.lock('bob', '/big', { type: 'exclusive' })
    let sent = 0
    async function* parts() {
      for (let i = 0; i < 100; i++) {
        sent += 1
        yield new Uint8Array(100_000)
      }
    }
    const caller = await world.caller('ann')
    const call = world.engine.call({
      operation: 'write_file',
      input: { workspace: 'main', path: '/big' },
      caller,
      content: parts(),
    })
    expect(await world.code(call)).toBe('locked')
    expect(sent).toBeLessThan(3)
  })
})

describe('append and edit', () => {
  it('files §11: appends of any number of writers lose nothing', async () => {
    const world = await EngineWorld.start()
    await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        world.call(`ann:s${i % 8}`, 'patch_file', { path: '/log', append: `line ${i}\n` }),
      ),
    )
    const lines = (await world.text('bob', '/log')).trim().split('\n')
    expect(new Set(lines).size).toBe(120)
  })

  it('files §11: appends across the border of small contents lose nothing', async () => {
    const world = await EngineWorld.start()
    const line = `${'x'.repeat(9_999)}\n`
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        world.call(`ann:s${i % 5}`, 'patch_file', { path: '/log', append: `${i} ${line}` }),
      ),
    )
    const lines = (await world.text('bob', '/log')).trim().split('\n')
    expect(new Set(lines.map((one) => one.split(' ')[0])).size).toBe(30)
  })

  it('files §11: append makes the file, unless told not to', async () => {
    const world = await EngineWorld.start()
    const refused = world.call('ann', 'patch_file', { path: '/no', append: 'x', create: false })
    expect(await world.code(refused)).toBe('not_found')
    expect(await world.call('ann', 'patch_file', { path: '/no', append: 'x' })).toMatchObject({
      created: true,
    })
  })

  it('files §12: edits apply to the newest version, whatever changed elsewhere', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\ntwo\nthree\n')
    await Promise.all([
      world.call('bob', 'patch_file', { path: '/f', edits: [{ oldText: 'one', newText: '1' }] }),
      world.call('cyd', 'patch_file', { path: '/f', edits: [{ oldText: 'two', newText: '2' }] }),
    ])
    expect(await world.text('ann', '/f')).toBe('1\n2\nthree\n')
  })

  it('files §12: text that stands nowhere, or twice, is refused with what stands there', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'same\nsame\n')
    const edit = (oldText: string) =>
      world.call('bob', 'patch_file', { path: '/f', edits: [{ oldText, newText: 'x' }] })
    await expect(edit('same')).rejects.toMatchObject({
      code: 'edit_conflict',
      problem: { edit: 0, excerpt: expect.stringContaining('same') },
    })
    expect(await world.code(edit('other'))).toBe('edit_conflict')
    expect(await world.text('ann', '/f')).toBe('same\nsame\n')
  })

  it('files §12: dry_run shows the difference and changes nothing', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\n')
    const edits = [{ oldText: 'one', newText: 'two' }]
    const dry = await world.call('bob', 'patch_file', { path: '/f', edits, dry_run: true })
    expect(dry.diff).toContain('+two')
    expect(await world.text('ann', '/f')).toBe('one\n')
  })

  it('files §9: if_version holds at the decision: of two edits of one version at once, one is taken', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'one\ntwo\n')
    const edit = (oldText: string) =>
      world.code(
        world.call('bob', 'patch_file', {
          path: '/f',
          if_version: 1,
          edits: [{ oldText, newText: 'x' }],
        }),
      )
    expect((await Promise.all([edit('one'), edit('two')])).sort()).toEqual([
      'none',
      'stale_version',
    ])
    const append = (text: string) =>
      world.code(world.call('bob', 'patch_file', { path: '/f', if_version: 2, append: text }))
    const big = 'y'.repeat(100_000)
    expect((await Promise.all([append(big), append(big)])).sort()).toEqual([
      'none',
      'stale_version',
    ])
  })

  it('rights: an edit shows nothing of a file that may not be read, not even that it is there', async () => {
    const world = await EngineWorld.start()
    await world.addAgent('eve', { rights: [{ path: '/hidden', access: 'none' }] })
    await world.call('ann', 'write_file', { path: '/hidden/f' }, 'secret text\n')
    for (const path of ['/hidden/f', '/hidden/none']) {
      for (const dry_run of [true, false]) {
        const edits = [{ oldText: 'guess', newText: 'x' }]
        const edit = world.call('eve', 'patch_file', { path, edits, dry_run })
        await expect(edit).rejects.toMatchObject({ code: 'forbidden' })
      }
      const changes = [{ op: 'edit' as const, path, edits: [{ oldText: 'a', newText: 'b' }] }]
      expect(await world.code(world.call('eve', 'commit', { changes }))).toBe('forbidden')
    }
    const refused = await world.call('admin', 'query_audit', { agent: 'eve', outcome: 'refused' })
    expect(refused.rows.length).toBeGreaterThan(0)
  })

  it('exclusive_hides_reads: a copy does not bring out what is hidden', async () => {
    const world = await EngineWorld.start({ exclusive_hides_reads: true })
    await world.call('ann', 'write_file', { path: '/d/f' }, 'x')
    await world.lock('ann', '/d/f', { type: 'exclusive' })
    for (const path of ['/d/f', '/d']) {
      const changes = [{ op: 'copy' as const, path, to: '/out' }]
      expect(await world.code(world.call('bob', 'commit', { changes }))).toBe('locked')
      await world.call('ann', 'commit', {
        changes: [{ op: 'copy', path, to: `/own-${path.length}` }],
      })
    }
  })

  it('files §9: if_none holds for an append too', async () => {
    const world = await EngineWorld.start()
    const append = () => world.call('ann', 'patch_file', { path: '/f', append: 'x', if_none: true })
    expect(await append()).toMatchObject({ created: true })
    expect(await world.code(append())).toBe('already_exists')
  })

  it('files §12: what is not text is not edited', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, new Uint8Array([0xff, 0xfe, 0x00]))
    const edits = [{ oldText: 'a', newText: 'b' }]
    const edit = world.call('ann', 'patch_file', { path: '/f', edits })
    expect(await world.code(edit)).toBe('invalid_request')
  })

  it('files §14: a commit may append and edit what it wrote before', async () => {
    const world = await EngineWorld.start()
    const { revision, files } = await world.call('ann', 'commit', {
      message: 'all at once',
      run: 'run-1',
      changes: [
        { op: 'write', path: '/f', text: 'one\n' },
        { op: 'append', path: '/f', text: 'two\n' },
        { op: 'edit', path: '/f', edits: [{ oldText: 'one', newText: '1' }] },
        { op: 'copy', path: '/f', to: '/g' },
      ],
    })
    expect(files.every((file) => file.version === revision)).toBe(true)
    expect(await world.text('bob', '/g')).toBe('1\ntwo\n')
    const { versions } = await world.call('bob', 'get_history', { path: '/g' })
    expect(versions[0]).toMatchObject({ how: 'copy', message: 'all at once', run: 'run-1' })
  })
})

describe('looking around', () => {
  it('lists folders in pages, whole subtrees too, and nothing that may not be read', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'commit', {
      changes: ['/b/2', '/a/1', '/a/deep/x', '/a/deep/y', '/c', '/hidden/z'].map((path) => ({
        op: 'write' as const,
        path,
        text: path,
      })),
    })
    await world.addAgent('eve', { rights: [{ path: '/hidden', access: 'none' }] })
    const paths: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await world.call('eve', 'get_entry', {
        path: '/',
        depth: 9,
        limit: 3,
        ...(cursor === undefined ? {} : { cursor }),
      })
      if (page.kind !== 'folder') throw new Error('not a folder')
      paths.push(...page.entries.map((entry) => entry.path))
      cursor = page.cursor
      if (cursor === undefined) break
    }
    expect(paths).toEqual(['/a', '/a/1', '/a/deep', '/a/deep/x', '/a/deep/y', '/b', '/b/2', '/c'])
    expect(await world.code(world.text('eve', '/hidden/z'))).toBe('forbidden')
  })

  it('exclusive_hides_reads hides what is held exclusively from others', async () => {
    const world = await EngineWorld.start({ exclusive_hides_reads: true })
    await world.call('ann', 'write_file', { path: '/f' }, 'x')
    await world.lock('ann', '/f', { type: 'exclusive' })
    expect(await world.text('ann', '/f')).toBe('x')
    expect(await world.code(world.text('bob', '/f'))).toBe('locked')
  })

  it('files §1: workspaces share nothing but agents', async () => {
    const world = await EngineWorld.start()
    await world.call('admin', 'put_workspace', { workspace: 'two' })
    await world.call('ann', 'write_file', { workspace: 'two', path: '/f' }, 'two')
    expect(await world.code(world.text('ann', '/f'))).toBe('not_found')
    await world.lock('ann', '/f')
    await world.call('bob', 'acquire_lock', { workspace: 'two', path: '/f' })
    await world.restart()
    expect((await world.call('admin', 'list_workspaces', {})).workspaces).toHaveLength(2)
    expect(
      await world.code(world.call('ann', 'read_file', { workspace: 'none', path: '/f' })),
    ).toBe('not_found')
  })
})
