import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServerNotifier } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { createHttp } from '../../src/face/http/server.ts'
import { mountMcp } from '../../src/face/mcp/http.ts'
import { openRealEngine } from '../face/real-engine.ts'
import { createFixtures } from './fixtures.ts'
import { startTokenProxy } from './token-proxy.ts'

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)
const EXPECTED_FAILURES = fileURLToPath(new URL('./expected-failures.yaml', import.meta.url))

for (const revision of ['2025-11-25', '2026-07-28']) {
  test(`contract §9: MCP ${revision} passes the conformance suite`, {
    timeout: 300_000,
  }, async () => {
    const { code, output } = await runSuite(revision)
    const summary = /Total: .*|\d+ passed, \d+ failed.*$/gm
    process.stdout.write(`MCP ${revision}: ${output.match(summary)?.at(-1) ?? 'no summary'}\n`)
    expect(code, output.slice(-6000)).toBe(0)
  })
}

async function runSuite(revision: string): Promise<{ code: number | null; output: string }> {
  let notify: ServerNotifier | undefined
  const { engine, tokens } = await openRealEngine()
  const fixtures = createFixtures(() => {
    if (notify === undefined) throw new Error('the server is not mounted yet')
    return notify
  })
  const server = await createHttp(engine, {
    host: '127.0.0.1',
    port: 0,
    logger: false,
    extend: (app) => {
      notify = mountMcp(app, engine, { fixtures }).notify
    },
  })
  const proxy = await startTokenProxy(await server.listen(), tokens['token-a'] ?? '')
  const results = await mkdtemp(join(tmpdir(), 'sluice-conformance-'))
  try {
    const args = ['server', '--url', `${proxy.url}/mcp`, '--requirements', revision]
    args.push('--expected-failures', EXPECTED_FAILURES, '--timeout', '20000', '-o', results)
    return await run(args)
  } finally {
    proxy.close()
    await server.close()
    await engine.close()
    await rm(results, { recursive: true, force: true })
  }
}

function run(args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}
