import type { Row } from '../call.ts'

/** Edits of files of every kind: what they find, what they leave, what they say. */
interface Edit {
  oldText: string
  newText: string
}

function edit(oldText: string, newText: string): Edit {
  return { oldText, newText }
}

type EditRow = readonly [title: string, name: string, edits: readonly Edit[]]

const EXACT: EditRow[] = [
  ['a word', 'docs/plan.md', [edit('two', 'TWO')]],
  ['several lines', 'docs/plan.md', [edit('one\nTWO\nthree', '1\n2\n3')]],
  ['more than one edit', 'docs/plan.md', [edit('1', 'one'), edit('2', 'two'), edit('four', '4')]],
  ['an edit of an edit', 'docs/plan.md', [edit('one', 'eins'), edit('eins', 'uno')]],
  ['a line that goes', 'docs/plan.md', [edit('two\n', '')]],
  ['lines that come', 'docs/plan.md', [edit('uno\n', 'uno\nzero\nnone\n')]],
  ['the last line end', 'docs/plan.md', [edit('4\n', '4')]],
  ['all of it', 'docs/backticks.md', [edit('```js\ncode\n```\n', '`````\nx\n`````\n')]],
  ['what looks like a group', 'docs/dollars.txt', [edit('$& $1', '$1 $& $$')]],
  ['far apart', 'docs/lines.txt', [edit('line 7 of', 'LINE 7 of'), edit('line 250', 'LINE 250')]],
  ['near each other', 'docs/lines.txt', [edit('line 30 of', 'L 30 of'), edit('line 33', 'L 33')]],
  ['wide characters', 'docs/wide.txt', [edit('\n89 ä漢😀é', '\n89 \u{1f680}')]],
  ['a long line', 'docs/long-line.txt', [edit('short', 'long no more')]],
  ['a file of an odd name', 'unicode/Äpfel', [edit('ä', 'ö')]],
  ['a hidden file', '.hidden/.env', [edit('KEY=1', 'KEY=2')]],
  ['what is executable', 'made/run.sh', [edit('echo run', 'echo ran')]],
  ['what is private', 'modes/group.txt', [edit('group', 'Group')]],
  ['a line of 64 KiB', 'large/just-64k', [edit('k'.repeat(65_536), 'k\n')]],
  ['what one wrote', 'new.txt', [edit('newer', 'newest')]],
]

const LINE_ENDS: EditRow[] = [
  ['between line ends of two', 'docs/crlf.txt', [edit('b', 'B')]],
  ['across line ends of two', 'docs/crlf.txt', [edit('a\nB', 'A\nB\nb')]],
  ['line ends of two given', 'docs/plan.md', [edit('uno\r\nzero', 'uno\r\none')]],
  ['a mark before it', 'docs/mark.txt', [edit('marked', 'Marked')]],
  ['a mark with it', 'docs/mark.txt', [edit('\ufeffMarked', 'unmarked')]],
  ['no line end at the end', 'docs/long-line.txt', [edit('long no more', 'short')]],
  ['a line end where there is none', 'docs/no-end.txt', [edit('last\n', 'end\n')]],
  ['between line ends of both kinds', 'docs/both-ends.txt', [edit('b', 'B'), edit('c', 'C')]],
  ['only returns', 'docs/only-returns.txt', [edit('b', 'B')]],
  ['into an empty file', 'nothing.txt', [edit('something', '')]],
  ['in an empty file', 'nothing.txt', [edit('something', 'x')]],
]

const BLANKS: EditRow[] = [
  ['other indentation', 'src/lib/a.ts', [edit('  if (true) {', '  if (false) {')]],
  ['two lines in other indentation', 'src/lib/a.ts', [edit('  return 1\n}', '  return 2\n}')]],
  ['blanks at the end', 'docs/blanks.txt', [edit('end', 'End')]],
  ['blanks around a line', 'docs/blanks.txt', [edit('  none  ', '  some  ')]],
  ['lines with blanks around them', 'docs/blanks.txt', [edit(' begin \n some', ' start\n any')]],
  ['from blanks to none', 'src/index.ts', [edit('a()\n}', 'b()\n}')]],
  [
    'deeper lines',
    'src/index.ts',
    [edit('function main() {\n    b()', 'function main() {\n    c()')],
  ],
]

const DISPUTED: EditRow[] = [
  ['what stands there twice', 'docs/repeated.txt', [edit('same', 'SAME')]],
  ['what stands there twice, in lines', 'docs/repeated.txt', [edit('same\n', 'once\n')]],
  ['a part of a word that is there', 'docs/repeated.txt', [edit('st', 'ST')]],
  ['no old text', 'docs/plan.md', [edit('', 'in front\n')]],
  ['no edits', 'docs/plan.md', []],
  ['the same for the same', 'docs/plan.md', [edit('uno', 'uno')]],
  ['there and back', 'docs/plan.md', [edit('uno', 'due'), edit('due', 'uno')]],
  ['what is not there', 'docs/plan.md', [edit('never', 'x')]],
  ['one that is there, one that is not', 'docs/plan.md', [edit('uno', 'x'), edit('never', 'x')]],
  ['another case', 'docs/plan.md', [edit('UNO', 'x')]],
  ['a pattern', 'docs/plan.md', [edit('u.o', 'x')]],
  ['blank lines only', 'docs/many-newlines', [edit('\n\n\n\n', '\n')]],
  ['one-byte characters', 'binary/latin1.txt', [edit('na', 'NA')]],
  ['two-byte characters', 'binary/utf16.txt', [edit('bits', 'bytes')]],
  ['a few bytes that are no text', 'binary/broken.txt', [edit('broken', 'whole')]],
  ['bytes', 'binary/random.bin', [edit('x', 'y')]],
  ['text with a NUL', 'binary/nul.txt', [edit('c', 'C')]],
  ['a folder', 'docs', [edit('x', 'y')]],
  ['a missing file', 'docs/missing.txt', [edit('x', 'y')]],
  ['a file outside', '../outside/secret.txt', [edit('secret', 'told')]],
]

function rowsOf([title, name, edits]: EditRow): Row[] {
  const path = `@/${name}`
  return [
    ['edit_file', `${title}, as a dry run`, { path, edits, dryRun: true }],
    ['edit_file', title, { path, edits }],
  ]
}

export const EDITING: readonly Row[] = [
  ...EXACT.flatMap(rowsOf),
  ...LINE_ENDS.flatMap(rowsOf),
  ...BLANKS.flatMap(rowsOf),
  ...DISPUTED.flatMap(rowsOf),
  ['edit_file', 'by a relative path', { path: 'docs/plan.md', edits: [edit('uno', 'one')] }],
  ['edit_file', 'no dry run', { path: '@/docs/plan.md', edits: [edit('one', '1')], dryRun: false }],
  ...['plan.md', 'crlf.txt', 'mark.txt', 'blanks.txt', 'repeated.txt', 'backticks.md'].map(
    (name): Row => ['read_text_file', 'what was edited', { path: `@/docs/${name}` }],
  ),
  ['get_file_info', 'of what is executable and edited', { path: '@/made/run.sh' }],
  ['read_text_file', 'what is to be edited and written', { path: '@/src/README.md' }],
  ['edit_file', 'what was read', { path: '@/src/README.md', edits: [edit('Source', 'Sources')] }],
  ['write_file', 'over what one edited', { path: '@/src/README.md', content: '# Written\n' }],
]
