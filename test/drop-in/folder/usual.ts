import type { Random } from '../../chaos/random.ts'
import { type Entry, file, folder, link, same } from './entry.ts'
import { MEDIA } from './media.ts'

/** The folder that most calls are made on: all that people have, and each thing that was ever read wrong. */
export function usualEntries(random: Random): Entry[] {
  return [
    ...TEXTS,
    ...NAMES,
    ...SOURCES,
    ...MEDIA,
    ...MODES,
    ...LINKS,
    ...binaries(random),
    ...deep(30),
    ...many(random),
    ...large(random),
    folder('empty-folder'),
  ]
}

/** What lies beside it, where no path of a tool may lead. */
export const OUTSIDE: Entry[] = [
  file('outside/secret.txt', 'secret\n'),
  file('outside/folder/more.txt', 'more\n'),
]

const LINES = Array.from({ length: 300 }, (_, i) => `line ${i + 1} of three hundred`)
const WIDE = Array.from({ length: 90 }, (_, i) => `${i} ä漢😀é`.repeat(1 + (i % 5)))

const TEXTS: Entry[] = [
  file('docs/plan.md', 'one\ntwo\nthree\nfour\n'),
  file('docs/notes.txt', 'no line end\nat the end'),
  file('docs/no-end.txt', 'first\nlast'),
  file('docs/crlf.txt', 'a\r\nb\r\nc\r\n'),
  file('docs/mixed-ends.txt', 'a\r\nb\nc\r\nd\n'),
  file('docs/both-ends.txt', 'a\r\nb\nc\r\nd\n'),
  file('docs/only-returns.txt', 'a\rb\rc\r'),
  file('docs/empty', ''),
  file('docs/one-newline', '\n'),
  file('docs/many-newlines', '\n\n\n\n'),
  file('docs/long-line.txt', `${'x'.repeat(5000)}\nshort\n${'ö'.repeat(3000)}`),
  file('docs/mark.txt', '\ufeffmarked\nas UTF-8\n'),
  file('docs/lines.txt', `${LINES.join('\n')}\n`),
  file('docs/wide.txt', WIDE.join('\n')),
  file('docs/backticks.md', '```js\ncode\n```\n````\nmore\n````\n'),
  file('docs/dollars.txt', "$& $1 $$ $` $'\n"),
  file('docs/repeated.txt', 'same\nother\nsame\nlast\nsame\n'),
  file('docs/blanks.txt', 'end \t\n  \n\tbegin\nnone\n'),
  file('docs/overwritten.txt', 'to be overwritten\n'),
  file('docs/unread.txt', 'nobody has read this\n'),
]

const NAMES: Entry[] = [
  file('unicode/ünï 漢字.txt', 'ä漢\u{1f600}\n'),
  file('unicode/\u{1f600}.md', 'smile\n'),
  // After the one before by its bytes, before it by its code units.
  file('unicode/\uff5e.md', 'wide\n'),
  file('unicode/עברית.txt', 'שלום\n'),
  file('unicode/two  blanks.txt', 'blanks\n'),
  file('unicode/quote\'s".txt', 'quotes\n'),
  file('unicode/[brackets].txt', 'brackets\n'),
  file('unicode/{braces}.txt', 'braces\n'),
  file('unicode/#hash.txt', 'hash\n'),
  file('unicode/!bang.txt', 'bang\n'),
  file('unicode/*star*.txt', 'star\n'),
  file('unicode/what?.txt', 'question\n'),
  file('unicode/100%.txt', 'percent\n'),
  file('unicode/Zebra', 'z\n'),
  file('unicode/apple', 'a\n'),
  file('unicode/Äpfel', 'ä\n'),
  file(`unicode/${'n'.repeat(251)}.txt`, 'long name\n'),
]

const SOURCES: Entry[] = [
  file('.gitignore', 'node_modules\n'),
  file('.hidden/.env', 'KEY=1\n'),
  file('src/index.ts', "import { a } from './lib/a.ts'\n\nexport function main() {\n  a()\n}\n"),
  file('src/index.test.ts', "import './index.ts'\n"),
  file('src/README.md', '# Source\n'),
  file('src/lib/a.ts', 'export function a() {\n\tif (true) {\n\t\treturn 1\n\t}\n}\n'),
  file('src/lib/b.js', 'module.exports = {}\n'),
  file('src/lib/deep/c.tsx', 'export const C = () => null\n'),
  file('src/lib/.cache/entry', 'cached\n'),
  file('src/node_modules/package/index.js', 'exports.x = 1\n'),
  file('src/node_modules/package/package.json', '{"name":"package"}\n'),
]

const MODES: Entry[] = [
  file('modes/run.sh', '#!/bin/sh\necho run\n', 0o755),
  file('modes/private.txt', 'private\n', 0o600),
  file('modes/read-only.txt', 'read only\n', 0o444),
  file('modes/group.txt', 'group\n', 0o664),
  folder('modes/shut', 0o700),
  folder('modes/shared', 0o775),
]

const LINKS: Entry[] = [
  file('links/target.txt', 'target\nof links\n'),
  link('links/to-file', 'target.txt'),
  link('links/to-folder', '../docs'),
  link('links/absolute', '@/folder/docs/notes.txt'),
  link('links/chain', 'to-file'),
  link('links/up', '..'),
  link('links/here', '.'),
  link('links/loop', 'loop'),
  link('links/dangling', 'missing'),
  link('links/out-file', '../../outside/secret.txt'),
  link('links/out-absolute', '@/outside/secret.txt'),
  link('links/out-folder', '../../outside'),
  link('links/out-dangling', '../../outside/not-there.txt'),
  file('links/first-name.txt', 'one file\nof two names\n'),
  same('links/second-name.txt', 'links/first-name.txt'),
]

function binaries(random: Random): Entry[] {
  return [
    file('binary/random.bin', random.bytes(3000)),
    file('binary/nul.txt', 'a\0b\nc\n'),
    file('binary/latin1.txt', Buffer.from('caf\u00e9\nna\u00efve\n', 'latin1')),
    file('binary/utf16.txt', Buffer.from('\ufeffsixteen\nbits\n', 'utf16le')),
    file('binary/broken.txt', Buffer.concat([Buffer.from('ä漢ö\nbroken '), Buffer.of(0xff, 0x0a)])),
  ]
}

function deep(levels: number): Entry[] {
  const names = Array.from({ length: levels }, (_, i) => `level-${i + 1}`)
  return [file(`deep/${names.join('/')}/bottom.txt`, 'bottom\n'), file('deep/top.txt', 'top\n')]
}

/** Of many sizes, some of them equal, with folders between. */
function many(random: Random): Entry[] {
  return Array.from({ length: 60 }, (_, i) => {
    const path = `many/entry-${String(i).padStart(2, '0')}`
    if (i % 9 === 4) return file(`${path}/inside.txt`, 'inside\n')
    const lines = Array.from({ length: 3000 }, (_, line) => `line ${line} of entry ${i}\n`).join('')
    return file(path, lines.slice(0, random.pick([0, 1, 512, 1023, 1024, 1536, 4096, 50_000])))
  })
}

const MEGABYTE = 1024 * 1024

function large(random: Random): Entry[] {
  const words = 'lock lease queue grant recall path folder token agent write'.split(' ')
  let block = ''
  while (block.length < MEGABYTE) {
    block += `${random.pick(words)} ${random.pick(words)} ${random.int(100_000)}\n`
  }
  block = `${block.slice(0, MEGABYTE - 1)}\n`
  return [
    file('large/text.txt', block.repeat(10)),
    file('large/random.bin', random.bytes(10 * MEGABYTE)),
    file('large/just-64k', 'k'.repeat(65_536)),
    file('large/over-64k', 'k'.repeat(65_537)),
  ]
}
