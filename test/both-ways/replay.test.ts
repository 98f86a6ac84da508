import { expect, it } from 'vitest'
import { Replay } from './replay.ts'

it('heads follow writes, moves of folders, deletions and contents that were kept later', () => {
  const replay = new Replay()
  const of = { at: '2026-01-01T00:00:00.000Z', kind: 'files-committed', agent: 'outside' }
  const write = (path: string, sha256: string) => ({ op: 'write', path, sha256, size: 1 })
  replay.add({
    ...of,
    revision: 1,
    changes: [write('/a/x', ''), write('/a/y', '2'), write('/z', '3')],
  })
  replay.add({ ...of, revision: 2, changes: [{ op: 'move', path: '/a', to: '/b' }] })
  const files = [{ path: '/a/x', version: 1, sha256: '1' }]
  replay.add({ ...of, revision: 3, kind: 'contents-kept', files })
  replay.add({ ...of, revision: 4, changes: [{ op: 'delete', path: '/z' }] })
  const heads = [...replay.heads].map(([path, { sha256 }]) => `${path} ${sha256}`)
  expect(heads).toEqual(['/b/x 1', '/b/y 2'])
  expect(replay.versions.map(({ path, sha256 }) => `${path} ${sha256}`)).toContain('/a/x 1')
})
