import { isDeepStrictEqual } from 'node:util'
import { isSection } from '../config-file.ts'
import { repeatedKey } from '../repeated-key.ts'
import { type ObjectPlace, objectAt } from './json-members.ts'
import type { Merged } from './merged.ts'

/** Puts an entry into a JSON text below its key; all that stands there stays as it is, byte by byte. */
export function mergeJson(
  text: string,
  [key, name]: readonly [string, string],
  entry: object,
  isForced: boolean,
): Merged {
  // Editors on Windows put a mark before it.
  const json = text.replace(/^\uFEFF/, '')
  const unclear = (why: string): Merged => ({ kind: 'unclear', why })
  let content: unknown
  try {
    content = JSON.parse(json)
  } catch (error) {
    return unclear(whyNoJson(json, error as Error))
  }
  if (!isSection(content)) return unclear('holds no JSON object')
  const repeated = repeatedKey(json)
  if (repeated !== undefined) return unclear(`says "${repeated}" twice in one object`)
  const servers = Object.hasOwn(content, key) ? content[key] : undefined
  if (servers !== undefined && !isSection(servers)) return unclear(`has no object at "${key}"`)
  const known = servers !== undefined && Object.hasOwn(servers, name) ? servers[name] : undefined
  if (isDeepStrictEqual(known, entry)) return { kind: 'same' }
  if (known !== undefined && !isForced) return { kind: 'other' }
  const put = new Putting(json)
  const merged =
    servers === undefined ? put.member([], key, { [name]: entry }) : put.member([key], name, entry)
  const meant = { ...content, [key]: { ...servers, [name]: entry } }
  if (!isDeepStrictEqual(JSON.parse(merged), meant)) throw new Error(`JSON was merged as ${merged}`)
  return { kind: 'merged', text: text.slice(0, text.length - json.length) + merged }
}

function whyNoJson(json: string, error: Error): string {
  try {
    JSON.parse(withoutComments(json))
    return 'is JSON with comments or trailing commas, which would be lost'
  } catch {
    return `is not JSON (${error.message})`
  }
}

function withoutComments(json: string): string {
  const bare = json.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '$1')
  return bare.replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, '$1')
}

class Putting {
  private readonly json: string
  private readonly root: ObjectPlace
  private readonly unit: string
  private readonly lineEnd: string

  constructor(json: string) {
    this.json = json
    this.root = objectAt(json, json.indexOf('{'))
    this.unit = this.indentOf(this.root) || '  '
    this.lineEnd = json.includes('\r\n') ? '\r\n' : '\n'
  }

  /** The text with a member in the object that the way leads to; one of that key gives way. */
  member(way: readonly string[], key: string, value: object): string {
    let object = this.root
    for (const step of way) {
      const found = object.members.find((member) => member.key === step)
      if (found === undefined) throw new Error(`no "${step}" in a JSON text`)
      object = objectAt(this.json, found.valueStart)
    }
    const { open, close, members } = object
    const around = this.unit.repeat(way.length)
    const indent = this.indentOf(object) ?? around + this.unit
    const old = members.find((member) => member.key === key)
    const last = members.at(-1)
    const isInline = last !== undefined && this.indentOf(object) === undefined
    const said = isInline ? JSON.stringify(value) : this.lines(value, indent)
    if (old !== undefined) return this.put(old.valueStart, old.valueEnd, said)
    const own = `${JSON.stringify(key)}: ${said}`
    if (isInline) return this.put(last.valueEnd, last.valueEnd, `, ${own}`)
    const line = `${this.lineEnd}${indent}${own}`
    if (last !== undefined) return this.put(last.valueEnd, last.valueEnd, `,${line}`)
    return this.put(open + 1, close, `${line}${this.lineEnd}${around}`)
  }

  private lines(value: object, indent: string): string {
    const text = JSON.stringify(value, undefined, this.unit)
    return text.replaceAll('\n', `${this.lineEnd}${indent}`)
  }

  private put(from: number, to: number, text: string): string {
    return this.json.slice(0, from) + text + this.json.slice(to)
  }

  /** What stands before its first member; undefined where that is not on a line of its own. */
  private indentOf({ open, members }: ObjectPlace): string | undefined {
    const [first] = members
    if (first === undefined) return undefined
    return /\n([ \t]*)$/.exec(this.json.slice(open, first.start))?.[1]
  }
}
