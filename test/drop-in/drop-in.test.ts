import { test } from 'vitest'
import { commandsOf } from './commands.ts'
import type { Difference } from './difference.ts'
import { expectNone, SEED, SESSION_MS } from './expect-none.ts'
import { REASONS } from './reasons.ts'
import { differencesIn } from './run.ts'
import { sessionsOf } from './sessions.ts'

const sessions = sessionsOf(SEED)

test(
  'files §20, folder §2: sluice mcp DIR answers as the official server does, but for what is listed',
  async () => {
    const differences: Difference[] = []
    for (const session of sessions) {
      differences.push(...(await differencesIn(session, commandsOf())))
    }
    expectNone(differences, REASONS)
  },
  sessions.length * SESSION_MS,
)
