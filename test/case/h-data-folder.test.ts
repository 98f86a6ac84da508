import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDataFolder } from '../../src/cli/data-folder.ts'
import { Place } from '../cli/sluice.ts'

/** `cases` H1 and H2: where a server may keep its data, and what is said where it may not. */
function refusal(data: string): string {
  try {
    makeDataFolder(data)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

/** A folder with these files; a name that ends in `/` is a folder. */
function folderWith(place: Place, name: string, ...files: string[]): string {
  const folder = join(place.folder, name)
  mkdirSync(folder)
  for (const file of files) {
    mkdirSync(join(folder, file, file.endsWith('/') ? '.' : '..'), { recursive: true })
    if (!file.endsWith('/')) writeFileSync(join(folder, file), '')
  }
  return folder
}

for (const command of ['serve', 'mcp']) {
  test(`H1: ${command} refuses a folder that holds other things, and writes nothing there`, async () => {
    const place = new Place()
    const sources = folderWith(place, 'project', 'src/a.ts', 'package.json')
    const refused = await place.run([command, '--data', sources])
    expect(refused).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toContain(`${sources} holds other things (package.json, src)`)
    expect(refused.err).toContain(`--data ${join(sources, 'sluice-data')}`)
    expect(refused.err).toContain(`"sluice mcp ${sources}"`)
    expect(readdirSync(sources)).toEqual(['package.json', 'src'])
  })

  test(`H2: ${command} says at once why a data folder cannot be made`, async () => {
    const place = new Place()
    const file = join(place.folder, 'file')
    writeFileSync(file, '')
    const cases: [string, number, RegExp][] = [
      [join(file, 'x'), 1, /cannot be made: ENOTDIR, a part of the path is a file/],
      [file, 1, /cannot be made: ENOTDIR/],
      [join(place.folder, 'x'.repeat(300)), 1, /cannot be made: ENAMETOOLONG/],
      ['', 2, /--data: the name of the folder is empty/],
      ...(process.platform === 'linux'
        ? ([['/proc/nope', 1, /cannot be made: ENOENT/]] satisfies [string, number, RegExp][])
        : []),
    ]
    for (const [data, code, text] of cases) {
      const refused = await place.run([command, '--data', data])
      expect(refused, data).toMatchObject({ code, out: '' })
      expect(refused.err).toMatch(text)
    }
  })
}

test('H1: an empty folder, one that is not there and one of ours are taken', async () => {
  const place = new Place()
  expect(refusal(join(place.folder, 'not', 'there', 'yet'))).toBe('')
  expect(refusal(folderWith(place, 'empty'))).toBe('')
  const left = ['.gitignore', '.DS_Store', 'lost+found/', '.gitkeep']
  expect(refusal(folderWith(place, 'new', ...left))).toBe('')
  const server = await place.serve()
  await server.stop()
  expect(refusal(place.data)).toBe('')
  // A note of its owner in a folder that is ours does not make it somebody else's.
  writeFileSync(join(place.data, 'README.txt'), '')
  expect(refusal(place.data)).toBe('')
  await place.serve()
})

test('H1: what a first start that was cut off has left is taken', () => {
  const place = new Place()
  const files = ['secret', 'secret.42', 'blobs/ab/', 'blobs/staging/', 'server/', 'server.log']
  expect(refusal(folderWith(place, 'cut', ...files))).toBe('')
})

test('H1+: folders that only have the names of ours are somebody else’s', () => {
  const place = new Place()
  expect(refusal(folderWith(place, 'a', 'server/index.ts'))).toContain('other things (server)')
  expect(refusal(folderWith(place, 'b', 'workspaces/web/package.json'))).toContain('(workspaces)')
  expect(refusal(folderWith(place, 'c', 'blobs'))).toContain('(blobs)')
  expect(refusal(folderWith(place, 'd', '.env'))).toContain('(.env)')
})

test('H1+: the root, a checkout and the inside of .git or node_modules are refused', () => {
  const place = new Place()
  expect(refusal('/')).toContain('holds other things')
  expect(refusal(process.cwd())).toContain('holds other things')
  expect(refusal(folderWith(place, 'fresh', '.git/HEAD'))).toContain('(.git)')
  for (const inside of ['node_modules', '.git']) {
    expect(refusal(join(place.folder, inside, 'data'))).toContain(`would be inside ${inside}`)
    expect(readdirSync(place.folder)).not.toContain(inside)
  }
})

test('H2+: links that lead nowhere or in a circle are told from folders', () => {
  const place = new Place()
  const [nowhere, circle] = [join(place.folder, 'nowhere'), join(place.folder, 'circle')]
  symlinkSync(join(place.folder, 'gone'), nowhere)
  symlinkSync(circle, circle)
  expect(refusal(nowhere)).toContain('EEXIST, something else is there')
  expect(refusal(join(nowhere, 'deeper'))).toContain('EEXIST, something else is there')
  expect(refusal(circle)).toContain('ELOOP')
  const real = folderWith(place, 'real')
  symlinkSync(real, join(place.folder, 'good'))
  expect(refusal(join(place.folder, 'good', 'data'))).toBe('')
  expect(readdirSync(real)).toEqual(['data'])
})

const isLinux = process.platform === 'linux'
if (!isLinux)
  console.log('h-data-folder.test.ts skips: only Linux has /proc, which takes no files.')

test.skipIf(!isLinux)('H2+: a folder that takes no files is found out', () => {
  // There for everybody, and writable for nobody, root included.
  expect(refusal('/proc/self/fdinfo')).toMatch(/holds other things/)
  expect(refusal('/proc/sys/nope')).toMatch(/cannot be made: E/)
  expect(refusal('/sys/kernel/nope')).toMatch(/cannot be made: E/)
})

test('H2+: what a probe leaves behind when it is cut off is no hindrance', () => {
  const place = new Place()
  const folder = folderWith(place, 'probed', 'probe.4711')
  expect(refusal(folder)).toBe('')
  expect(readdirSync(folder)).toEqual(['probe.4711'])
  rmSync(folder, { recursive: true })
})
