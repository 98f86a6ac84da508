import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMAND_OF } from '../../src/cli/command-of-operation.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { referencePages } from '../../src/cli/reference/pages.ts'
import { OPERATION_NAMES, operationOf } from '../../src/contract/operations.ts'

const folder = fileURLToPath(new URL('../../docs/reference/', import.meta.url))

test('the reference says what the contract says; "npm run reference" writes it', async () => {
  const pages = await referencePages()
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(pages).toSorted())
  for (const [name, text] of Object.entries(pages)) {
    expect(readFileSync(`${folder}${name}`, 'utf8'), name).toBe(text)
  }
})

test('every link between the pages of the reference leads to a heading', async () => {
  const pages = await referencePages()
  const headings = Object.fromEntries(
    Object.entries(pages).map(([name, text]) => [
      name,
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        title.toLowerCase().replaceAll(' ', '-'),
      ),
    ]),
  )
  for (const [name, text] of Object.entries(pages)) {
    for (const [link, file, anchor] of text.matchAll(/\]\(([a-z]+\.md)?(?:#([^)]+))?\)/g)) {
      const target = headings[file ?? name]
      expect(target, `${name}: ${link}`).toBeDefined()
      if (anchor !== undefined) expect(target, `${name}: ${link}`).toContain(anchor)
    }
  }
})

test('operations and commands name each other: what is no operation is listed here', () => {
  const named = OPERATION_NAMES.map((name) => operationOf(name).cli?.command ?? '')
  const others = ['serve', 'mcp', 'watch', 'call', 'config', 'doctor', 'bench']
  expect(new Set([...named.filter(Boolean), ...others])).toEqual(new Set(Object.keys(COMMANDS)))
})

test('the command that speaks for an operation is there, and is the one of its row', async () => {
  for (const name of OPERATION_NAMES) {
    const [word = '', ...rest] = COMMAND_OF[name].split(' ')
    const command = await COMMANDS[word]?.()
    expect(command, name).toBeDefined()
    for (const more of rest) {
      const flags = command?.settings.map((setting) => `--${setting.name}`) ?? []
      expect([...flags, ...Object.keys(command?.subcommands ?? {})], name).toContain(more)
    }
    const { cli } = operationOf(name)
    if (cli !== undefined) expect(COMMAND_OF[name]).toBe(cli.command)
  }
})
