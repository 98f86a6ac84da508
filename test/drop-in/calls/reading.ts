import type { Row } from '../call.ts'

/** Reading texts, media and several files at once. */
const TEXTS = [
  ...['plan.md', 'notes.txt', 'crlf.txt', 'mixed-ends.txt', 'only-returns.txt', 'empty'],
  ...['one-newline', 'many-newlines', 'long-line.txt', 'mark.txt', 'lines.txt', 'wide.txt'],
].map((name) => `@/docs/${name}`)

const COUNTS = [1, 3, 29, 1_000_000]

const PARTS: Row[] = TEXTS.flatMap((path): Row[] => [
  ['read_text_file', 'a whole text', { path }],
  ...COUNTS.flatMap((count): Row[] => [
    ['read_text_file', 'its first lines', { path, head: count }],
    ['read_text_file', 'its last lines', { path, tail: count }],
  ]),
])

const ODD_COUNTS: Row[] = [
  ['read_text_file', 'no first lines', { path: '@/docs/plan.md', head: 0 }],
  ['read_text_file', 'no last lines', { path: '@/docs/plan.md', tail: 0 }],
  ['read_text_file', 'head and tail', { path: '@/docs/plan.md', head: 1, tail: 1 }],
  ['read_text_file', 'head 0 and tail', { path: '@/docs/plan.md', head: 0, tail: 2 }],
  ['read_text_file', 'head and tail 0', { path: '@/docs/plan.md', head: 2, tail: 0 }],
  ['read_text_file', 'head and tail 0 both', { path: '@/docs/plan.md', head: 0, tail: 0 }],
  ['read_text_file', 'fewer than no lines', { path: '@/docs/plan.md', head: -1 }],
  ['read_text_file', 'fewer than no last lines', { path: '@/docs/plan.md', tail: -1 }],
  ['read_text_file', 'one and a half lines', { path: '@/docs/plan.md', head: 1.5 }],
  ['read_text_file', 'one and a half last lines', { path: '@/docs/plan.md', tail: 1.5 }],
  ['read_text_file', 'more lines than any file has', { path: '@/docs/plan.md', head: 1e15 }],
  ['read_file', 'by its older name', { path: '@/docs/plan.md' }],
  ['read_file', 'by its older name, first lines', { path: '@/docs/plan.md', head: 2 }],
  ['read_file', 'by its older name, last lines', { path: '@/docs/plan.md', tail: 2 }],
]

const CONTENTS: Row[] = [
  ...['ünï 漢字.txt', '\u{1f600}.md', 'עברית.txt', 'two  blanks.txt', 'quote\'s".txt', '100%.txt']
    .concat(['[brackets].txt', '{braces}.txt', '#hash.txt', '!bang.txt', '*star*.txt', 'what?.txt'])
    .map((name): Row => ['read_text_file', 'an odd name', { path: `@/unicode/${name}` }]),
  ...['random.bin', 'nul.txt', 'latin1.txt', 'utf16.txt', 'broken.txt'].flatMap((name): Row[] => [
    ['read_text_file', 'what is not UTF-8', { path: `@/binary/${name}` }],
    ['read_text_file', 'the beginning of what is not UTF-8', { path: `@/binary/${name}`, head: 1 }],
    ['read_text_file', 'the end of what is not UTF-8', { path: `@/binary/${name}`, tail: 1 }],
  ]),
  ['read_text_file', 'what is just small', { path: '@/large/just-64k' }],
  ['read_text_file', 'what is just large', { path: '@/large/over-64k' }],
  ['read_text_file', '10 MB', { path: '@/large/text.txt' }],
  ['read_text_file', 'the beginning of 10 MB', { path: '@/large/text.txt', head: 5 }],
  ['read_text_file', 'the end of 10 MB', { path: '@/large/text.txt', tail: 5 }],
  ['read_text_file', 'many lines of 10 MB', { path: '@/large/text.txt', tail: 20_000 }],
]

const PATHS: Row[] = [
  ...['docs/plan.md', './docs/plan.md', 'docs/../docs/plan.md', '@/docs/plan.md/'],
  ...['@//docs///plan.md', '@/docs/./plan.md', '@/docs/missing/../plan.md', ' @/docs/plan.md'],
  ...['"@/docs/plan.md"', "'@/docs/plan.md'", 'file://@/docs/plan.md', '@/docs/plan.md ', '@'],
  ...['', '.', '/', '/docs/plan.md', '@/docs', '@/docs/', '@/docs/missing.txt', '@/no/such/file'],
  ...['@/docs/plan.md/below', '../outside/secret.txt', '@/../outside/secret.txt', '~', '~/x', '~x'],
  ...['/etc/hostname', '@-beside/x', 'C:\\docs\\plan.md', 'C:/docs/plan.md', 'docs\\plan.md'],
  ...['@/docs/plan.md\0', '@/docs\n', '@/DOCS/PLAN.MD', `@/${'x'.repeat(256)}`],
  ...[`@/${'x/'.repeat(2100)}x`, '@/docs/lone-\ud800'],
].map((path): Row => ['read_text_file', `the path ${JSON.stringify(path).slice(0, 40)}`, { path }])

const SEVERAL: Row[] = [
  ['two', ['@/docs/plan.md', '@/docs/notes.txt']],
  ['one', ['@/docs/plan.md']],
  ['an empty one', ['@/docs/empty']],
  ['the same twice', ['@/docs/plan.md', '@/docs/plan.md', 'docs/plan.md']],
  ['one that is missing', ['@/docs/plan.md', '@/docs/missing.txt', '@/docs/notes.txt']],
  ['none that is there', ['@/a', '@/b']],
  ['a folder', ['@/docs', '@/docs/plan.md']],
  ['one outside', ['../outside/secret.txt', '@/docs/plan.md', '/etc/hostname']],
  ['what is not UTF-8', ['@/docs/plan.md', '@/binary/random.bin', '@/binary/latin1.txt']],
  ['line ends', ['@/docs/crlf.txt', '@/docs/mixed-ends.txt', '@/docs/mark.txt']],
  ['60 of them', Array.from({ length: 60 }, (_, i) => `@/docs/${i % 2 ? 'plan.md' : 'notes.txt'}`)],
  ['1,100 of them', Array.from({ length: 1100 }, () => '@/docs/empty')],
  ['10 MB and a small one', ['@/large/text.txt', '@/docs/plan.md']],
  ['none', []],
].map(([title, paths]): Row => ['read_multiple_files', title as string, { paths }])

const MEDIA: Row[] = [
  ...['pixel.png', 'UPPER.PNG', 'photo.jpg', 'photo.jpeg', 'moving.gif', 'image.webp', 'image.bmp'],
  ...['drawing.svg', 'sound.mp3', 'sound.wav', 'sound.ogg', 'sound.flac', 'document.pdf'],
  ...['film.mp4', 'text-named.png', 'gif-named.jpg', 'png-without-ending', 'empty.png', 'missing'],
  ...['ünï 漢字.png', '', '../docs/plan.md', '../binary/random.bin', '../large/over-64k'],
  ...['../docs/empty', '../../outside/secret.txt', '../unicode/100%.txt', '../large/random.bin'],
].map((name): Row => ['read_media_file', `as media, ${name}`, { path: `@/media/${name}` }])

export const READING: readonly Row[] = [
  ...PARTS,
  ...ODD_COUNTS,
  ...CONTENTS,
  ...PATHS,
  ...SEVERAL,
  ...MEDIA,
  ['read_media_file', 'as media, by a relative path', { path: 'media/pixel.png' }],
]
