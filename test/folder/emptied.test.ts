import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type RunningServer, startServer } from '../../src/server.ts'

/** A folder with its data elsewhere, served once. */
async function served() {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-emptied-')))
  onTestFinished(() => rmSync(place, { recursive: true, force: true }))
  const root = join(place, 'root')
  mkdirSync(root)
  writeFileSync(join(root, 'a.txt'), 'a')
  const start = (): Promise<RunningServer> =>
    startServer({
      data: join(place, 'data'),
      host: '127.0.0.1',
      port: 0,
      folders: { main: [root] },
    })
  const server = await start()
  await server.close()
  return { root, start }
}

it.each([
  ['is empty', (root: string) => mkdirSync(root)],
  ['is not there', () => {}],
])(
  'folder §9: a folder that was served and %s is not served as one without files',
  async (_, leave) => {
    const { root, start } = await served()
    rmSync(root, { recursive: true })
    leave(root)
    await expect(start()).rejects.toThrow('is its disk mounted?')
    mkdirSync(join(root, '.sluice'), { recursive: true })
    await (await start()).close()
  },
)
