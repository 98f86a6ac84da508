/** Entity tags of RFC 9110 §8.8.3, as conditions list them. */
export interface EntityTag {
  isWeak: boolean
  /** Without its quotes. */
  tag: string
}

const TAG = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y
/** Not a tag by the letter, but clients send versions so. */
const BARE = /^\s*(\d{1,16})\s*$/
const TAGS_MOST = 1000

/** `*`, or the tags; undefined: the header is neither. */
export function parseTags(header: string): '*' | EntityTag[] | undefined {
  if (header.trim() === '*') return '*'
  const bare = BARE.exec(header)?.[1]
  if (bare !== undefined) return [{ isWeak: false, tag: bare }]
  const tags: EntityTag[] = []
  TAG.lastIndex = 0
  while (TAG.lastIndex < header.length && tags.length < TAGS_MOST) {
    const found = TAG.exec(header)
    if (found === null) return undefined
    tags.push({ isWeak: found[1] !== undefined, tag: found[2] ?? '' })
  }
  return tags.length > 0 && tags.length < TAGS_MOST ? tags : undefined
}

/** Whether a condition holds for what is there, by the strong comparison: a weak tag never does. */
export function matchesStrongly(tags: '*' | readonly EntityTag[], current: string): boolean {
  return tags === '*' || tags.some(({ isWeak, tag }) => !isWeak && tag === current)
}

/** By the weak one: proxies may have put a W/ in front. */
export function matchesWeakly(tags: '*' | readonly EntityTag[], current: string): boolean {
  return tags === '*' || tags.some(({ tag }) => tag === current)
}
