import { noteFile, tokenFile } from '../../server-note.ts'
import type { Command, Invocation } from '../command.ts'
import { findServer } from '../find-server.ts'
import { Screen } from '../screen.ts'
import { environmentName } from '../setting.ts'
import { SHARED } from '../settings.ts'
import { dataFolder } from '../target.ts'
import { terminalName } from '../terminal.ts'
import { isShared, type Value, valuesOf } from '../values.ts'

interface Row {
  setting: string
  value: string | number | boolean | readonly string[] | null
  source: Value['source'] | 'found'
  from: string | null
  /** Where else something is said that this wins over. */
  over: readonly string[]
  environment: string
}

/** `sluice config`: what is in force, and which of flag, environment, file and default said it. */
export const config: Command = {
  summary: 'Print the settings in force and where each came from.',
  settings: Object.values(SHARED),
  notes:
    'Settings of a single command (lock.ttl, for example) are listed where something or a default sets them.',
  async run(invocation) {
    const { values, file } = invocation
    const shared = [...values.all()].map((value) => rowOf(value, undefined))
    const rows = [...(await found(invocation, shared)), ...(await ownRows(invocation))]
    const screen = new Screen()
    if (values.flag('json')) screen.json({ file: file?.path ?? null, settings: rows })
    else {
      screen.line(`Configuration file: ${file?.path ?? 'none (sluice.config.json in this folder)'}`)
      screen.line()
      screen.table<Row>(
        [
          { title: 'SETTING', cell: ({ setting }) => setting },
          { title: 'VALUE', cell: ({ value }) => textOf(value) },
          { title: 'FROM', cell: fromText },
          { title: 'ENVIRONMENT', cell: ({ environment }) => environment },
        ],
        rows,
      )
    }
    return undefined
  },
}

function rowOf({ setting, value, source, from, over }: Value, command: string | undefined): Row {
  const shown = setting.isSecret === true && value !== undefined ? HIDDEN : value
  return {
    setting:
      command === undefined ? setting.name : `${command.replaceAll(' ', '.')}.${setting.name}`,
    value: shown ?? null,
    source,
    from: from ?? null,
    over,
    environment: environmentName(setting, command),
  }
}

function fromText({ source, from, over }: Row): string {
  const text = from ?? source
  return over.length === 0 ? text : `${text}, not ${over.join(' or ')}`
}

const HIDDEN = '(hidden)'

function textOf(value: Row['value']): string {
  return Array.isArray(value) ? value.join(', ') : String(value ?? '')
}

/** What nobody set is found from the data folder, or by where the command runs. */
async function found({ values }: Invocation, rows: readonly Row[]): Promise<Row[]> {
  const data = dataFolder(values)
  const note = await findServer(data)
  const terminal = terminalName()
  return rows.map((row) => {
    if (row.setting === 'session' && row.source === 'unset' && terminal !== undefined) {
      return { ...row, value: terminal, source: 'found', from: 'this terminal' }
    }
    if (row.source !== 'unset' || note === undefined) return row
    if (row.setting === 'url') {
      return { ...row, value: note.url, source: 'found', from: noteFile(data) }
    }
    if (row.setting === 'token') {
      return { ...row, value: HIDDEN, source: 'found', from: tokenFile(data) }
    }
    return row
  })
}

/** Settings that only one command has, and the commands within it, as far as they are set at all. */
async function ownRows({ file, commands }: Invocation): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, load] of Object.entries(commands)) {
    rows.push(...rowsOf(name, await load(), file))
  }
  return rows
}

function rowsOf(name: string, command: Command, file: Invocation['file']): Row[] {
  const own = command.settings.filter((setting) => !isShared(setting))
  const values = [...valuesOf(name, own, {}, file).all()]
  const rows = values.filter(({ source }) => source !== 'unset').map((value) => rowOf(value, name))
  const subs = Object.entries(command.subcommands ?? {})
  return [...rows, ...subs.flatMap(([sub, each]) => rowsOf(`${name} ${sub}`, each, file))]
}
