import type { Row } from '../call.ts'

/** Files and folders that are made, written anew, moved. What is overwritten was read before, as a rule. */
const MADE: Row[] = [
  ['write_file', 'a new file', { path: '@/made/../new.txt', content: 'new\n' }],
  ['read_text_file', 'what was written', { path: '@/new.txt' }],
  ['write_file', 'over what one wrote', { path: '@/new.txt', content: 'newer\n' }],
  ['write_file', 'the same once more', { path: '@/new.txt', content: 'newer\n' }],
  ['write_file', 'nothing', { path: '@/nothing.txt', content: '' }],
  ['write_file', 'something over nothing', { path: '@/nothing.txt', content: 'something' }],
  ['write_file', 'line ends of two', { path: '@/crlf.txt', content: 'a\r\nb\r\n' }],
  ['write_file', 'a mark', { path: '@/mark.txt', content: '\ufeffmark' }],
  ['write_file', 'odd characters', { path: '@/odd.txt', content: 'ä漢\u{1f600}\0\u001b\u2028\n' }],
  ['write_file', 'half a character', { path: '@/half.txt', content: 'half \ud800 of it' }],
  // With what JSON adds, just within the 10 MiB that the official server takes of a message.
  ['write_file', '9 MB', { path: '@/nine.txt', content: 'nine megabytes\n'.repeat(629_145) }],
  ['read_text_file', 'the end of 9 MB', { path: '@/nine.txt', tail: 2 }],
  ['write_file', 'over 9 MB', { path: '@/nine.txt', content: 'short' }],
  ['write_file', 'an odd name', { path: '@/unicode/näu \u{1f680}.txt', content: 'odd\n' }],
  ['write_file', 'by a relative path', { path: 'docs/relative.txt', content: 'relative\n' }],
  ['write_file', 'with a slash at its end', { path: '@/docs/slash/', content: 'slash\n' }],
  ['write_file', 'a name of 255 bytes', { path: `@/${'w'.repeat(255)}`, content: 'w' }],
  ['write_file', 'over a name of 255 bytes', { path: `@/${'w'.repeat(255)}`, content: 'v' }],
  ['write_file', 'a name of 256 bytes', { path: `@/${'w'.repeat(256)}`, content: 'w' }],
  ['write_file', 'into folders that are missing', { path: '@/not/there/yet.txt', content: 'x' }],
  ['write_file', 'over a folder', { path: '@/docs', content: 'x' }],
  ['write_file', 'over the root', { path: '@', content: 'x' }],
  ['write_file', 'below a file', { path: '@/docs/plan.md/x', content: 'x' }],
  ['write_file', 'outside', { path: '../outside/made.txt', content: 'x' }],
  ['write_file', 'outside, by dots', { path: '@/docs/../../outside/made.txt', content: 'x' }],
  ['write_file', 'a hidden file', { path: '@/.hidden/new', content: 'hidden\n' }],
]

const OVERWRITTEN: Row[] = [
  ['write_file', 'over what was not read', { path: '@/docs/unread.txt', content: 'lost\n' }],
  ...['docs/overwritten.txt', 'modes/run.sh', 'modes/private.txt', 'modes/group.txt']
    .concat(['modes/read-only.txt', 'docs/mixed-ends.txt', 'links/first-name.txt'])
    .flatMap((name): Row[] => [
      ['read_text_file', `${name}, which is to be overwritten`, { path: `@/${name}` }],
      ['write_file', `over ${name}, which was read`, { path: `@/${name}`, content: `${name}\n` }],
      ['get_file_info', `of ${name}, which was overwritten`, { path: `@/${name}` }],
    ]),
  ['read_text_file', 'the other name of a file', { path: '@/links/second-name.txt' }],
  ['read_media_file', 'a picture to overwrite', { path: '@/media/empty.png' }],
  ['write_file', 'over a picture that was read', { path: '@/media/empty.png', content: 'text' }],
  ['read_multiple_files', 'two to overwrite', { paths: ['@/docs/notes.txt', '@/docs/empty'] }],
  ['write_file', 'over one of several read', { path: '@/docs/notes.txt', content: 'notes\n' }],
  ['write_file', 'over an empty one', { path: '@/docs/empty', content: 'no more\n' }],
]

const FOLDERS: Row[] = [
  ['create_directory', 'a new one', { path: '@/made' }],
  ['create_directory', 'once more', { path: '@/made' }],
  ['create_directory', 'with those above it', { path: '@/made/a/b/c' }],
  ['create_directory', 'over a file', { path: '@/docs/plan.md' }],
  ['create_directory', 'below a file', { path: '@/docs/plan.md/x' }],
  ['create_directory', 'the root', { path: '@' }],
  ['create_directory', 'by a relative path', { path: 'made/relative' }],
  ['create_directory', 'with dots in it', { path: '@/made/./x/../dots' }],
  ['create_directory', 'with a slash at its end', { path: '@/made/slash/' }],
  ['create_directory', 'an odd name', { path: '@/made/ünï 漢字 \u{1f600}' }],
  ['create_directory', 'a hidden one', { path: '@/made/.hidden' }],
  ['create_directory', 'outside', { path: '../outside/made' }],
  ['create_directory', 'no name', { path: '' }],
  ['directory_tree', 'of what was made', { path: '@/made' }],
]

const MOVED: Row[] = [
  ['a file', '@/docs/lines.txt', '@/docs/lines-2.txt'],
  ['a file into another folder', '@/docs/lines-2.txt', '@/made/lines.txt'],
  ['a folder with all in it', '@/made/a', '@/made/moved'],
  ['a folder into one beside it', '@/made/dots', '@/made/moved/dots'],
  ['what is executable', '@/modes/run.sh', '@/made/run.sh'],
  ['10 MB', '@/large/random.bin', '@/made/random.bin'],
  ['by relative paths', 'made/lines.txt', 'docs/lines.txt'],
  ['an odd name', '@/unicode/ünï 漢字.txt', '@/unicode/\u{1f600} öther.txt'],
  ['to another case', '@/unicode/apple', '@/unicode/Apple'],
  ['to slashes at the end', '@/made/slash/', '@/made/slashed/'],
  ['onto a file', '@/docs/plan.md', '@/docs/crlf.txt'],
  ['onto a folder', '@/docs/plan.md', '@/made'],
  ['a folder onto an empty one', '@/made/moved', '@/empty-folder'],
  ['onto itself', '@/docs/plan.md', '@/docs/plan.md'],
  ['a folder into itself', '@/made', '@/made/moved/made'],
  ['what is missing', '@/missing', '@/elsewhere'],
  ['into what is missing', '@/src/lib/b.js', '@/no/such/b.js'],
  ['below a file', '@/docs/plan.md', '@/docs/crlf.txt/plan.md'],
  ['the root', '@', '@/made/root'],
  ['to the root', '@/docs/plan.md', '@'],
  ['out', '@/docs/plan.md', '../outside/plan.md'],
  ['in', '../outside/secret.txt', '@/secret.txt'],
].map(([title, source, destination]): Row => {
  return ['move_file', title as string, { source, destination }]
})

export const WRITES: readonly Row[] = [
  ...MADE,
  ...OVERWRITTEN,
  ...FOLDERS,
  ...MOVED,
  ['read_text_file', 'what was moved', { path: '@/docs/lines.txt', tail: 2 }],
  ['read_text_file', 'what was moved away', { path: '@/docs/lines-2.txt' }],
  ['get_file_info', 'of what was moved', { path: '@/made/run.sh' }],
  ['search_files', 'for all after many writes', { path: '@', pattern: '**' }],
]
