import { createHash, hash } from 'node:crypto'
import { LIMITS } from '../contract/limits.ts'
import type { ContentFacts, KeptContent } from '../core/command.ts'
import { stage } from '../engine/file/contents.ts'
import type { FileStat } from '../store/file-system.ts'
import type { Attachment } from '../store/ledger.ts'
import type { Parts } from './parts.ts'
import { stampOf } from './stamps.ts'

/** A file as it was read, whole. */
export interface ReadFile {
  content: ContentFacts
  attachment: Attachment | undefined
  /** Of the open file, from before it was read. */
  stat: FileStat
  /** Nobody wrote to it meanwhile. */
  isStable: boolean
}

/** A small file, in this turn. */
export function readNow({ fs }: Parts, disk: string): ReadFile {
  const file = fs.open(disk)
  try {
    const stat = file.stat()
    const bytes = file.readAll()
    const sha256 = hash('sha256', bytes, 'hex')
    return {
      content: { sha256, size: bytes.length },
      attachment: { sha256, bytes },
      stat,
      isStable: stampOf(file.stat()) === stampOf(stat) && bytes.length === stat.size,
    }
  } finally {
    file.close()
  }
}

/** A file of any size: what is not small goes to the store of contents. */
export async function readWhole(parts: Parts, disk: string): Promise<ReadFile> {
  const file = parts.fs.open(disk)
  try {
    const stat = file.stat()
    if (stat.size <= LIMITS.smallContentBytes) return readNow(parts, disk)
    const { blobs } = parts.context
    const { sha256, size, attachment } = await stage(
      file.stream(0, Number.POSITIVE_INFINITY),
      blobs,
      Number.POSITIVE_INFINITY,
    )
    const isStable = stampOf(file.stat()) === stampOf(stat) && size === stat.size
    return { content: { sha256, size }, attachment, stat, isStable }
  } finally {
    file.close()
  }
}

/** The hash alone, of a file of any size. */
export async function hashOf({ fs }: Parts, disk: string): Promise<string> {
  const sum = createHash('sha256')
  const file = fs.open(disk)
  try {
    for await (const part of file.stream(0, Number.POSITIVE_INFINITY)) sum.update(part)
  } finally {
    file.close()
  }
  return sum.digest('hex')
}

/** Gives a version the content that only the folder had (folder §5). */
export function keep(
  { context }: Parts,
  of: Omit<KeptContent, 'sha256' | 'size'>,
  { content, attachment }: ReadFile,
): void {
  const files = [{ ...of, ...content }]
  context.decider.run(
    { kind: 'keep-contents', files },
    attachment === undefined ? [] : [attachment],
  )
}

/** Whether what a file holds is kept, once somebody looks at it. */
export function isToBeKept(parts: Parts, path: string, size: number): boolean {
  return parts.tracked.has(path, false) && isKept(parts, size)
}

/** Whether contents of that size are kept at all. */
export function isKept({ state }: Parts, size: number): boolean {
  return size <= state.settings.keep_bytes
}
