import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import type { Setting } from '../../src/cli/setting.ts'
import { SHARED } from '../../src/cli/settings.ts'
import { DEFAULT_SETTINGS } from '../../src/contract/events.ts'
import { OPERATION_NAMES, operationOf } from '../../src/contract/operations.ts'
import { FIELDS } from '../fuzz/values.ts'
import { doorsOf } from '../scenario/doors.ts'
import { filesIn, importsOf, ROOT } from './source.ts'

/** Places of what is added that neither the compiler misses nor a test of its subject: CONTRIBUTING.md. */
function textOf(...folders: string[]): string {
  return folders
    .flatMap((folder) => filesIn(folder, '.ts'))
    .map(({ text }) => text)
    .join('\n')
}

describe('a setting of the command line', () => {
  const commands = Object.entries(COMMANDS).filter(([name]) => name !== 'config')

  it('that many commands share is taken by one', async () => {
    const all = await Promise.all(commands.map(async ([, load]) => settingsOf(await load())))
    const taken = new Set(all.flat().map(({ name }) => name))
    expect(Object.keys(SHARED).filter((name) => !taken.has(name))).toEqual([])
  })

  it('is read by name, unless it fills a field', async () => {
    const text = textOf('src/cli')
    const unread: string[] = []
    for (const [command, load] of commands) {
      for (const { name, field } of settingsOf(await load())) {
        const isRead = field !== undefined || text.includes(`('${name}')`)
        // What says where the others stand is read before them.
        if (!isRead && name !== SHARED.config.name) unread.push(`${command} ${name}`)
      }
    }
    expect(unread).toEqual([])
  })
})

function settingsOf({ settings, subcommands = {} }: Command): Setting[] {
  return [...settings, ...Object.values(subcommands).flatMap(settingsOf)]
}

it('a field of an operation that is no flag is given values of its own by the fuzzer', () => {
  const isKnown = (field: string, schema: { safeParse(value: unknown): { success: boolean } }) =>
    field in FIELDS || schema.safeParse(true).success
  const unknown = OPERATION_NAMES.flatMap((name) => {
    const fields = Object.entries(operationOf(name).input.shape)
    return fields.filter(([field, schema]) => !isKnown(field, schema)).map(([field]) => field)
  })
  expect(unknown).toEqual([])
})

it('a setting of a workspace is read where something is decided or done', () => {
  const text = textOf('src/core', 'src/engine', 'src/folder')
  const read = (name: string) => new RegExp(`\\b${name}\\b`).test(text)
  expect(Object.keys(DEFAULT_SETTINGS).filter((name) => !read(name))).toEqual([])
})

describe('a face', () => {
  const faces = readdirSync(join(ROOT, 'src/face'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    // What faces over HTTP are made of.
    .filter((name) => name !== 'http-kit')

  it('is mounted by the server', () => {
    const [server] = filesIn('src', 'server.ts').filter(({ path }) => path === 'src/server.ts')
    const imports = server === undefined ? [] : importsOf(server)
    const isMounted = (face: string) => imports.some((one) => one.startsWith(`src/face/${face}/`))
    expect(faces.filter((face) => !isMounted(face))).toEqual([])
  })

  it('is a door at which the stories are told', () => {
    const doors = doorsOf(() => expect.unreachable()).map(({ name }) => name.toLowerCase())
    expect(faces.filter((face) => !doors.some((door) => door.includes(face)))).toEqual([])
  })

  it('has tests that begin with its name', () => {
    const tests = filesIn('test/face', '.test.ts').map(({ path }) => path)
    const isTested = (face: string) => tests.some((path) => path.startsWith(`test/face/${face}`))
    expect(faces.filter((face) => !isTested(face))).toEqual([])
  })
})

describe('an adapter of a store', () => {
  const places = textOf('test/store')

  it('is held to the contract of its port', () => {
    const classes = [
      ...textOf('src/store').matchAll(/class (\w+) implements (?:Ledger|Tables|Blobs)\b/g),
    ]
    expect(classes.length).toBeGreaterThan(5)
    const names = classes.map(([, name]) => name as string)
    expect(names.filter((name) => !places.includes(`new ${name}(`))).toEqual([])
  })

  it('that has a place in the tests is in their registry', () => {
    const [registry] = filesIn('test/store', 'registry.ts')
    const adapters = [...places.matchAll(/export const (\w+): \w+Adapter\b/g)].map(
      ([, name]) => name,
    )
    expect(adapters.length).toBeGreaterThan(5)
    expect(
      adapters.filter(
        (name) => !registry?.text.includes(`, ${name}`) && !registry?.text.includes(`[${name}`),
      ),
    ).toEqual([])
  })
})
