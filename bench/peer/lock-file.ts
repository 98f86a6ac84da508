/**
 * What agents do today without a lock server: a lock file that only one of them can create, polled by
 * the others with exponential back-off; and files that are replaced whole and made durable.
 */
import { open, rename, unlink } from 'node:fs/promises'
import { sleep } from '../measure.ts'

const POLL_MS = { first: 5, most: 100 }

/** Resolves with the release once this caller has created the file. */
export async function acquireLockFile(path: string): Promise<() => Promise<void>> {
  let delayMs = POLL_MS.first
  for (;;) {
    try {
      const file = await open(path, 'wx')
      await file.close()
      return () => unlink(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    // Jitter, so that those who failed together do not come back together.
    await sleep(delayMs * (0.5 + Math.random() / 2))
    delayMs = Math.min(POLL_MS.most, delayMs * 2)
  }
}

let temporaries = 0

/** Readers see the old content or the new one, and a crash after it keeps the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  temporaries += 1
  const temporary = `${path}.${temporaries}.tmp`
  const file = await open(temporary, 'w')
  await file.writeFile(text)
  await file.datasync()
  await file.close()
  await rename(temporary, path)
}
