/**
 * `npm run demo`: two dozen agents on one folder, first on plain files, then through Sluice.
 *
 * `--seconds 20` of each act, `--agents 24`, `--folder DIR` (copied, never touched),
 * `--transport http|stdio` of the agents to Sluice: over HTTP each is a session of one server; over
 * stdio each has a process of its own, which costs two dozen processes some seconds to start.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Outcome, playAct } from './demo/act.ts'
import { prepareFolder } from './demo/folder.ts'
import { openScreen } from './demo/screen.ts'
import { plainStand, sluiceStand, type Transport } from './demo/stands.ts'
import { onStage } from './stage.ts'

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    agents: { type: 'string', default: '24' },
    folder: { type: 'string' },
    transport: { type: 'string', default: 'http' },
  },
})

const options = { seconds: Number(flags.seconds), agents: Number(flags.agents) }
if (!(options.seconds > 0) || !(options.agents >= 2 && options.agents <= 200)) {
  console.error('usage: npm run demo -- [--seconds S] [--agents 2–200] [--folder DIR]')
  process.exit(2)
}
const transport: Transport = flags.transport === 'stdio' ? 'stdio' : 'http'

const outcomes = await onStage('demo', async (stage): Promise<Outcome[]> => {
  const screen = openScreen(process.stdout)
  stage.atEnd(() => screen.close())
  const folder = await prepareFolder(flags.folder, join(stage.folder, 'plain'))
  const { files, inDemand, title } = folder
  screen.say(
    `${options.agents} agents work on a copy of ${title}: ${files.length} files, ${inDemand.length} of them in demand.`,
  )
  // Read from the same folder before the first act changes it.
  screen.say('starting Sluice and the official filesystem server …')
  const sluice = await sluiceStand(stage, folder, transport)
  const plain = await plainStand(stage, folder)
  const acts: Outcome[] = []
  for (const stand of [plain, sluice]) {
    acts.push(await playAct(stand, folder, options, (frame) => screen.show(frame)))
  }
  screen.verdict(acts)
  return acts
})
process.exit(outcomes.at(-1)?.lost === 0 ? 0 : 1)
