import { allApart } from './sluice.ts'

/** The stories about commands once more as people run them: a process for each command and each server. */
allApart()
await import('./files.test.ts')
await import('./lock-commands.test.ts')
await import('./locks.test.ts')
await import('./operations.test.ts')
await import('./watch-locks.test.ts')
await import('../case/h-settings.test.ts')
await import('../case/h-unlock.test.ts')
