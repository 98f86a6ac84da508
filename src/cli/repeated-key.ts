/**
 * A key that stands twice in one object of a JSON text: `JSON.parse` takes the last and says nothing.
 *
 * @param json valid JSON
 */
export function repeatedKey(json: string): string | undefined {
  /** The keys so far of each object around the place; undefined for an array. */
  const around: (Set<string> | undefined)[] = []
  for (const [token, isKey] of json.matchAll(TOKEN)) {
    if (token === '{') around.push(new Set())
    else if (token === '[') around.push(undefined)
    else if (token === '}' || token === ']') around.pop()
    else if (isKey !== undefined) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string
      if (around.at(-1)?.has(key) === true) return key
      around.at(-1)?.add(key)
    }
  }
  return undefined
}

/** Strings whole, so that what is in them counts for nothing; those before a colon are keys. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g
