import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from './content.ts'

/** Contents of all files of a tree that git does not ignore, by path; the server is not asked. */
export function filesIn(root: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of namesBelow(root, '')) found.set(path, sha256Of(readFileSync(join(root, path))))
  return found
}

/** What the server has left: names of its own, second names of others' files. */
export function leftIn(root: string): string[] {
  const left: string[] = []
  for (const folder of ['.sluice/new', '.sluice/held']) {
    if (!existsSync(join(root, folder))) continue
    left.push(...readdirSync(join(root, folder)).map((name) => `/${folder}/${name}`))
  }
  for (const path of namesBelow(root, '')) {
    const { nlink } = lstatSync(join(root, path))
    if (path.includes('/.sluice-') || nlink !== 1) left.push(path)
  }
  return left
}

function namesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (folder === '' && LEFT_OUT.has(entry.name)) return []
    return entry.isDirectory() ? namesBelow(root, path) : [path]
  })
}

const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.sluice', 'dist'])
