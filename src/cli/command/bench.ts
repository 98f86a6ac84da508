import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from '../command.ts'
import { Failure } from '../usage-error.ts'

/** `sluice bench`: the scenarios are part of the checkout, not of the published package. */
export const bench: Command = {
  summary: 'Run the benchmark scenarios; in a checkout only.',
  arguments: '[scenario...]',
  rest: 'flags...',
  settings: [],
  notes: 'The same as "npm run bench". For example: sluice bench locks -- --quick',
  async run({ arguments: scenarios, after }) {
    const script = fileURLToPath(new URL('../../../bench/run.ts', import.meta.url))
    if (!existsSync(script)) {
      throw new Failure(
        'The benchmarks are in a checkout of the sources only: clone it, then "npm ci" and ' +
          '"npm run bench".',
      )
    }
    const child = spawn(process.execPath, [script, ...scenarios, ...after], { stdio: 'inherit' })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? 1))
    })
  },
}
