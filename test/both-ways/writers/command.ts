import { spawn } from 'node:child_process'

export interface CommandEnd {
  from: number
  to: number
  code: number | null
  out: Buffer
  err: string
}

/** Runs a program in a folder, to its end. Names that begin with `GIT_` and `SLUICE_` are not passed on. */
export function runCommand(
  folder: string,
  program: string,
  words: readonly string[],
  input = '',
): Promise<CommandEnd> {
  const from = Date.now()
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd: folder, env: ENVIRONMENT, stdio: 'pipe' })
    const out: Buffer[] = []
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ from, to: Date.now(), code, out: Buffer.concat(out), err }),
    )
    // Who reads no input may be gone before it got all.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(GIT|SLUICE)_/.test(name)),
)
