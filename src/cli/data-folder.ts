import { mkdirSync } from 'node:fs'
import { Failure } from './usage-error.ts'

/** Makes the data folder, for its owner only; one that is there stays as it is. */
export function makeDataFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(
      `The data folder ${data} cannot be made: ${String(code)}. Choose another with --data.`,
    )
  }
}
