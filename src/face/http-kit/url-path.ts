import { fail } from '../../contract/errors.ts'

/**
 * The path of a file that a URL ends in, decoded name by name, so that an encoded slash cannot pass for
 * a separator. A router's own wildcard is decoded as a whole and is not used.
 *
 * @param namesBefore how many names of the URL come before it: 1 for `/plain/{path}`.
 */
export function pathInUrl(url: string, namesBefore: number): string {
  const tail = (url.split(/[?#]/, 1)[0] ?? '').split('/').slice(namesBefore + 1)
  const names = tail.map((encoded) => {
    const name = decodeName(encoded)
    if (name.includes('/')) fail('invalid_path', 'A name in a path must not contain a slash.')
    return name
  })
  return `/${names.join('/')}`
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    fail(
      'invalid_path',
      'The URL has a bad percent-encoding: "%" needs two hexadecimal digits, in UTF-8.',
    )
  }
}
