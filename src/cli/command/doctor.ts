import { checkData, checkNode, checkRoom, checkToken, type Finding } from '../checks.ts'
import { checkServer } from '../checks-of-server.ts'
import type { Command } from '../command.ts'
import { Screen } from '../screen.ts'
import { CONNECTION, SHARED } from '../settings.ts'
import { dataFolderHere } from '../target.ts'

/** `sluice doctor`: looks at all that a server needs, and says what to do about what is wrong. */
export const doctor: Command = {
  summary: 'Check Node, the data folder, the token, the server and its ledgers.',
  settings: [SHARED.json, ...CONNECTION],
  notes: 'The exit code is 1 if anything is wrong.',
  async run({ values }) {
    const data = dataFolderHere(values)
    const isLocal = values.text('url') === undefined
    const findings: Finding[] = [
      checkNode(),
      ...(isLocal ? [checkData(data), checkRoom(data), checkToken(data)] : []),
      ...(await checkServer(values, data)),
    ]
    const screen = new Screen()
    if (values.flag('json')) screen.json({ findings })
    else for (const finding of findings) print(screen, finding)
    return findings.some(({ outcome }) => outcome === 'wrong') ? 1 : 0
  },
}

const SIGNS = { good: ['green', '✓'], wrong: ['red', '✗'], note: ['yellow', '–'] } as const

function print(screen: Screen, { outcome, check, says, todo }: Finding): void {
  const [colour, sign] = SIGNS[outcome]
  screen.marked(screen.styled(colour, sign), `${check}: ${says}`)
  if (todo !== undefined) screen.line(`  → ${todo}`)
}
