import type { Client } from './clients.ts'
import { mergeJson } from './json-merge.ts'
import type { Launch } from './launch.ts'
import type { Merged } from './merged.ts'
import { mergeToml, tableText } from './toml-merge.ts'

export interface Wanted {
  client: Client
  name: string
  launch: Launch
}

/** All that a file needs that has nothing else. */
export function wholeText({ client, name, launch }: Wanted): string {
  if (client.format === 'toml') return tableText([client.key, name], launch)
  return `${JSON.stringify({ [client.key]: { [name]: entryOf(client, launch) } }, undefined, 2)}\n`
}

/** @param isForced whether another entry of the name gives way */
export function merge(text: string, wanted: Wanted, isForced: boolean): Merged {
  const { client, name, launch } = wanted
  if (text.trim() === '') return { kind: 'merged', text: wholeText(wanted) }
  if (client.format === 'toml') return mergeToml(text, [client.key, name], launch, isForced)
  return mergeJson(text, [client.key, name], entryOf(client, launch), isForced)
}

function entryOf({ entry }: Client, { command, args }: Launch): object {
  return entry?.({ command, args }) ?? { command, args }
}
