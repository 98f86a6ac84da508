import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { serverNote } from '../../src/server-note.ts'
import { amountOf } from '../amount.ts'
import { Place } from '../cli/sluice.ts'

/** `cases` H3: what the README shows is run, and prints what it says. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

interface Sample {
  program: string
  prints: string
}

/** The first program of a section, and the block after it. */
function sampleOf(heading: string, language: string): Sample {
  const section = README.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  const [, program, prints] =
    new RegExp(
      `\`\`\`${language}\n([^]*?)\n\`\`\`\n\nIt prints:\n\n\`\`\`\n([^]*?)\n\`\`\`\n`,
    ).exec(section) ?? []
  if (program === undefined || prints === undefined) throw new Error(`README: no "${heading}"`)
  return { program, prints }
}

/** What is another at each run; columns are as wide as what stands in them. */
function masked(text: string): string {
  return text
    .trim()
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'URL')
    .replaceAll(/(?<=is in )\S+(?=\/admin\.token)/g, 'DATA')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, 'CLOCK')
    .replaceAll(/(?<=\bL\d+\.)[\w-]{24}(?![\w-])/g, 'SECRET')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replaceAll(/\b(just now|\d+s ago)(?= )/g, 'AGO')
    .replaceAll(/\bin (1m|\d+s)\b/g, 'in SOON')
    .replaceAll(/ {2,}/g, '  ')
}

/** Lines that the README does not print to their end are compared as far as it does. */
function cutAs(prints: string, out: string): string {
  const expected = prints.split('\n')
  const lines = out.split('\n').map((line, index) => {
    const start = (expected[index] ?? '').replace(/ ?…$/, '')
    return start !== expected[index] && line.startsWith(start) ? expected[index] : line
  })
  return lines.join('\n')
}

// The tour is for shells; on Windows that is Git Bash, which is not always there.
const shells = ['sh', 'bash'].slice(0, amountOf(import.meta.url))
for (const shell of process.platform === 'win32' ? [] : shells) {
  test(`H3: the tour of the README works as printed, pasted as one block (${shell})`, async () => {
    const place = new Place()
    const { program, prints } = sampleOf('60 seconds', 'sh')
    const ran = await place.runBy(shell, ['-c', `exec 2>&1\n${program}\nkill $!\nwait`], {
      cwd: ROOT,
      env: { SLUICE_PORT: '0', SLUICE_DATA: place.data, SLUICE_SESSION: '' },
      detached: true,
    })
    expect(cutAs(masked(prints), masked(ran.out))).toBe(masked(prints))
    expect(serverNote(place.data)).toBeUndefined()
  }, 60_000)
}

test('H3: the program of the README works as printed on a fresh server', async () => {
  const place = new Place()
  const server = await place.serve()
  const { program, prints } = sampleOf('In a program', 'js')
  // As `npm install` makes it, with the client as it is now instead of as it was last compiled.
  const installed = join(place.folder, 'node_modules', 'sluice')
  mkdirSync(installed, { recursive: true })
  const client = pathToFileURL(join(ROOT, 'src', 'client', 'index.ts')).href
  writeFileSync(join(installed, 'package.json'), '{"type": "module", "exports": "./index.js"}')
  writeFileSync(join(installed, 'index.js'), `export * from ${JSON.stringify(client)}\n`)
  writeFileSync(join(place.folder, 'report.mjs'), program)
  const ran = await place.runBy(process.execPath, ['report.mjs'], {
    env: { SLUICE_URL: server.url },
  })
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(ran.out.trim()).toBe(prints)
  // And once more on what it has left.
  const again = await place.runBy(process.execPath, ['report.mjs'], {
    env: { SLUICE_URL: server.url },
  })
  expect(again).toMatchObject({ code: 0, err: '' })
})
