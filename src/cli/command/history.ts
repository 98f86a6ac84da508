import { operationCommand } from '../operation-command.ts'
import { sizeText, timeText } from '../text.ts'

export const history = operationCommand({
  operation: 'get_history',
  print({ versions, more }, screen) {
    screen.table(
      [
        { title: 'VERSION', cell: ({ version }) => String(version), align: 'right' },
        { title: 'HOW', cell: ({ how }) => how },
        { title: 'SIZE', cell: ({ size }) => sizeText(size), align: 'right' },
        { title: 'AT', cell: ({ at }) => timeText(at) },
        { title: 'BY', cell: ({ session }) => session },
        { title: 'MESSAGE', cell: ({ message }) => message ?? '', shrinks: true },
      ],
      versions,
    )
    if (more) screen.line(`There are older ones: --before ${versions.at(-1)?.version ?? 0}`)
  },
})
