import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { connect, SluiceError } from '../../src/client/index.ts'
import { type RunningServer, startServer } from '../../src/server.ts'

let server: RunningServer
const data = mkdtempSync(join(tmpdir(), 'sluice-socket-'))

beforeAll(async () => {
  server = await startServer({ data, host: '127.0.0.1', port: 0 })
})

afterAll(async () => {
  await server.close()
  rmSync(data, { recursive: true, force: true })
})

async function codeOf(token: string, url = server.url): Promise<string> {
  try {
    await connect({ url, token, retryMs: 0 })
    return 'let in'
  } catch (error) {
    if (error instanceof SluiceError) return error.code
    throw error
  }
}

/** Whether the server lets a page of this Origin open a socket. */
function opens(headers: Record<string, string>): Promise<boolean> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/socket`, { headers })
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.close()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

describe('the socket', () => {
  it('limits failed authentications by address, and always lets a good token in', async () => {
    const codes: string[] = []
    for (let i = 0; i < 25; i++) codes.push(await codeOf(`slc_wrong${i}`))
    expect(codes.slice(0, 20).every((code) => code === 'unauthenticated')).toBe(true)
    expect(codes.at(-1)).toBe('rate_limited')
    const token = readFileSync(join(data, 'admin.token'), 'utf8')
    expect(await codeOf(token)).toBe('let in')
  })

  it('counts failures at this door and over HTTP together: an address has one budget', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-budget-'))
    const fresh = await startServer({ data: folder, host: '127.0.0.1', port: 0 })
    try {
      const overHttp = async () => {
        const headers = { authorization: 'Bearer slc_wrong' }
        const answer = await fetch(`${fresh.url}/v1/workspaces`, { headers })
        return ((await answer.json()) as { code: string }).code
      }
      const codes: string[] = []
      for (let i = 0; i < 10; i++)
        codes.push(await overHttp(), await codeOf('slc_wrong', fresh.url))
      expect(new Set(codes)).toEqual(new Set(['unauthenticated']))
      expect(await overHttp()).toBe('rate_limited')
      expect(await codeOf('slc_wrong', fresh.url)).toBe('rate_limited')
      const token = readFileSync(join(folder, 'admin.token'), 'utf8')
      expect(await codeOf(token, fresh.url)).toBe('let in')
    } finally {
      await fresh.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('checks Host and Origin before the upgrade (DNS rebinding)', async () => {
    expect(await opens({})).toBe(true)
    expect(await opens({ origin: 'http://evil.example' })).toBe(false)
    expect(await opens({ host: 'evil.example' })).toBe(false)
  })
})
