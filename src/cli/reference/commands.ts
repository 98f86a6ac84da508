import type { Command } from '../command.ts'
import { COMMANDS } from '../commands.ts'
import { environmentName, flagSyntax, type Setting } from '../setting.ts'
import { isShared } from '../values.ts'
import { code, page, table } from './markdown.ts'

const ABOUT = `Each flag has an environment variable and a key in \`sluice.config.json\` (in the folder where the command runs, or named by \`--config\`): keys of flags that many commands share stand at the top, others below the name of their command, as in \`{"port": 8000, "lock": {"ttl": 60}}\`. The flag wins over the variable, that over the file, that over the default; \`sluice config\` prints what is in force.

Output is for people; with \`--json\` it is one JSON document (\`watch\`: one a line), and a refusal is a problem body on stderr. Exit codes are those of [errors.md](errors.md): 0 done, 2 not valid, 3 no valid token, 4 a right is missing, 5 not there, 6 in the way, 7 locked by somebody else, 8 changed or lost meanwhile, 13 no server or too busy, 70 the server failed.`

export async function commandsPage(): Promise<string> {
  const parts: string[] = []
  const list: string[] = []
  for (const [name, load] of Object.entries(COMMANDS)) {
    const command = await load()
    list.push(`- [${name}](#sluice-${name}): ${command.summary}`)
    parts.push(commandText(name, command))
    for (const [sub, own] of Object.entries(command.subcommands ?? {})) {
      parts.push(commandText(`${name} ${sub}`, own))
    }
  }
  return page('Commands', ABOUT, [list.join('\n'), ...parts])
}

function commandText(name: string, command: Command): string {
  const { summary, settings, notes } = command
  const usage = ['sluice', name, command.arguments ?? '', settings.length > 0 ? '[options]' : '']
  const rest = command.rest === undefined ? '' : `[-- ${command.rest}]`
  return [
    `## sluice ${name}`,
    `\`\`\`\n${[...usage, rest].filter((part) => part !== '').join(' ')}\n\`\`\``,
    summary,
    ...(settings.length === 0
      ? []
      : [
          table(
            ['flag', 'environment', ''],
            settings.map((setting) => rowOf(setting, name)),
          ),
        ]),
    ...(notes === undefined ? [] : [notes]),
  ].join('\n\n')
}

function rowOf(setting: Setting, command: string): string[] {
  const { describes, choices, fallback, kind } = setting
  const variable = environmentName(setting, isShared(setting) ? undefined : command)
  const text = [
    describes === '' ? '' : `${describes}.`,
    choices === undefined ? '' : `One of ${choices.map(code).join(', ')}.`,
    fallback === undefined ? '' : `Default ${code(fallback)}.`,
    kind === 'list' ? 'May be repeated.' : '',
  ]
  return [code(flagSyntax(setting)), code(variable), text.filter((part) => part !== '').join(' ')]
}
