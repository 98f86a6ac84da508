/** A member of an object in a JSON text, by where it stands. */
export interface Member {
  key: string
  start: number
  valueStart: number
  /** The place after the value. */
  valueEnd: number
}

export interface ObjectPlace {
  open: number
  close: number
  members: readonly Member[]
}

/**
 * Where the members of an object stand, so that one can be put beside them and all else stays as it was.
 *
 * @param json valid JSON
 * @param open where the object begins
 */
export function objectAt(json: string, open: number): ObjectPlace {
  const members: Member[] = []
  let member: Member | undefined
  let depth = 0
  TOKEN.lastIndex = open
  for (let hit = TOKEN.exec(json); hit !== null; hit = TOKEN.exec(json)) {
    const [token] = hit
    const isEnd = token === '}' || token === ']'
    if (isEnd) depth -= 1
    if (isEnd && depth === 0) return { open, close: hit.index, members }
    if (depth === 1) {
      if (token === ',') member = undefined
      else if (member === undefined) {
        const start = hit.index
        member = { key: JSON.parse(token) as string, start, valueStart: -1, valueEnd: -1 }
        members.push(member)
      } else if (token !== ':') {
        if (member.valueStart < 0) member.valueStart = hit.index
        member.valueEnd = TOKEN.lastIndex
      }
    }
    if (token === '{' || token === '[') depth += 1
  }
  throw new Error(`no object at ${open} of a JSON text`)
}

/** Strings whole, so that what is in them counts for nothing. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
