import { commandsPage } from './commands.ts'
import { errorsPage } from './errors.ts'
import { eventsPage } from './events.ts'
import { limitsPage } from './limits.ts'
import { operationsPage } from './operations.ts'

/** The pages of docs/reference, by file name. */
export async function referencePages(): Promise<Record<string, string>> {
  return {
    'operations.md': operationsPage(),
    'errors.md': errorsPage(),
    'events.md': eventsPage(),
    'limits.md': limitsPage(),
    'cli.md': await commandsPage(),
  }
}
