import { type Entry, file, folder, link } from './entry.ts'

/** So deep that the tree of it, indented, has more than half a megabyte. */
export const DEPTH = 240

/** More than one answer shows, and deeper than any page goes. */
export function largeEntries(): Entry[] {
  const wide = Array.from({ length: 1100 }, (_, i) =>
    file(`wide/file-${String(i).padStart(4, '0')}.txt`, `${i}\n`),
  )
  return [...wide, file(`deep/${'d/'.repeat(DEPTH)}bottom.txt`, 'bottom\n')]
}

/**
 * Names that a disk takes and a path can hardly say. A lone surrogate of U+DC80 and on stands for one
 * byte that is no UTF-8.
 */
export const ODD_ENTRIES: Entry[] = [
  file('plain.txt', 'plain\n'),
  file('bytes-\udcff\udce9.txt', 'no UTF-8\n'),
  file('cafe\u0301.txt', 'decomposed\n'),
  file('both/e\u0301', 'decomposed\n'),
  file('both/\u00e9', 'composed\n'),
  file('case/Readme', 'capital\n'),
  file('case/readme', 'small\n'),
  file('line\nend.txt', 'a line end in its name\n'),
  file('back\\slash.txt', 'backslash\n'),
  file('percent%2Fslash.txt', 'percent\n'),
  file('blank-at-end ', 'blank\n'),
  file(' blank-in-front', 'blank\n'),
  file('"quoted"', 'quoted\n'),
  file('~/home.txt', 'a folder named like a home\n'),
  file('C:/drive.txt', 'a folder named like a drive\n'),
  file('con', 'a device elsewhere\n'),
  file('dot-at-end.', 'dot\n'),
  file('...', 'three dots\n'),
]

/** A folder that is served by the name of a link to it, and what roots of a client may be. */
export const ROOTS_ENTRIES: Entry[] = [
  file('docs/plan.md', 'one\ntwo\n'),
  file('src/index.ts', 'export {}\n'),
  folder('empty-folder'),
  link('to-docs', 'docs'),
]
