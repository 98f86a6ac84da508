import type { PathRight } from '../contract/events.ts'
import type { Input } from '../contract/operations.ts'
import type { Setting } from './setting.ts'
import { UsageError } from './usage-error.ts'

export function rightSetting(describes: string): Setting {
  return { name: 'right', kind: 'list', placeholder: '[workspace:]path=access', describes }
}

/** Rights on paths as the command line writes them: `/docs=read` or `main:/docs=read`. */
export function rightText({ workspace, path, access }: PathRight): string {
  return `${workspace === '*' ? path : `${workspace}:${path}`}=${access}`
}

type Right = NonNullable<Input<'put_agent'>['rights']>[number]

export function rightOf(text: string): Right {
  const [, workspace, path = '', access] =
    /^(?:([A-Za-z0-9._-]{1,64}|\*):)?(.*)=(read|write|none)$/.exec(text) ?? []
  if (access === undefined || path === '') {
    throw new UsageError(
      `--right: "${text}" is not of the form PATH=read, PATH=write or PATH=none.`,
    )
  }
  return {
    path,
    access: access as Right['access'],
    ...(workspace === undefined ? {} : { workspace }),
  }
}
