import { spawn } from 'node:child_process'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '../../src/contract/errors.ts'
import { operationOf } from '../../src/contract/operations.ts'
import { ranInside } from '../cli/inside.ts'
import type { Call } from './seat.ts'

export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Where commands run: inside the test, or each in a process of its own. */
export type Place = 'inside' | 'apart'

/** Operations through the command line: one command a call, refusals by exit code and stderr. */
export function cliCall(url: string, token: string, session: string, place: Place): Call {
  const run = place === 'inside' ? ranHere : ranApart
  return async (name, input, content) => {
    const inAndOut = content === undefined ? [] : ['--content', '-']
    const args = ['call', name, JSON.stringify(input), '--url', url, ...inAndOut]
    const { code, err, out } = await run([...args, '--session', session], token, content)
    if (code !== 0) throw new SluiceError(JSON.parse(err) as never)
    if (operationOf(name).content === 'out') return { value: {} as never, content: out }
    return { value: JSON.parse(out.toString()) as never }
  }
}

const environment = (token: string) => ({
  ...process.env,
  SLUICE_TOKEN: token,
  SLUICE_JSON: '1',
})

async function ranHere(words: string[], token: string, input: Uint8Array = new Uint8Array()) {
  const cwd = process.cwd()
  const { code, err, bytes } = await ranInside(words, { env: environment(token), cwd, input })
  return { code, err, out: bytes }
}

async function ranApart(words: string[], token: string, input?: Uint8Array) {
  const child = spawn(process.execPath, [MAIN, ...words], { env: environment(token) })
  // A command that refuses before it reads leaves the pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [out, err, code] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ])
  return { code, err, out }
}
