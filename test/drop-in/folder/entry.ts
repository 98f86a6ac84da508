/**
 * What lies in a folder that is served, as data: it is made twice, and the calls that are generated
 * know from it what there is to call for.
 */
export type Entry =
  | { kind: 'file'; path: string; bytes: Buffer; mode: number }
  | { kind: 'folder'; path: string; mode: number }
  /** `to` as it stands in the link; `@` in front of it is the place that both folders lie in. */
  | { kind: 'link'; path: string; to: string }
  /** Another name of a file that was made before. */
  | { kind: 'same'; path: string; of: string }

export function file(path: string, content: string | Uint8Array, mode = 0o644): Entry {
  return { kind: 'file', path, bytes: Buffer.from(content as Uint8Array), mode }
}

export function folder(path: string, mode = 0o755): Entry {
  return { kind: 'folder', path, mode }
}

export function link(path: string, to: string): Entry {
  return { kind: 'link', path, to }
}

export function same(path: string, of: string): Entry {
  return { kind: 'same', path, of }
}
