import { spawn } from 'node:child_process'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '../../src/contract/errors.ts'
import { operationOf } from '../../src/contract/operations.ts'
import type { Call } from './seat.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Operations through the command line: one process a call, refusals by exit code and stderr. */
export function cliCall(url: string, token: string, session: string): Call {
  return async (name, input, content) => {
    const inAndOut = content === undefined ? [] : ['--content', '-']
    const args = ['call', name, JSON.stringify(input), '--url', url, ...inAndOut]
    const child = spawn(process.execPath, [MAIN, ...args, '--session', session], {
      env: { ...process.env, SLUICE_TOKEN: token, SLUICE_JSON: '1' },
    })
    // A command that refuses before it reads leaves the pipe.
    child.stdin.on('error', () => {})
    child.stdin.end(content)
    const [out, err, code] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ])
    if (code !== 0) throw new SluiceError(JSON.parse(err) as never)
    if (operationOf(name).content === 'out') return { value: {} as never, content: out }
    return { value: JSON.parse(out.toString()) as never }
  }
}
