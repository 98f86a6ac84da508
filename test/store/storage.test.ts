import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { diskStorage } from '../../src/store/storage.ts'

const STORAGE = new URL('../../src/store/storage.ts', import.meta.url).href

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-storage-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('the secret of a data folder is made once, also by processes that start at the same time', async () => {
  const data = folder()
  const script = `
    const { diskStorage } = await import(${JSON.stringify(STORAGE)})
    process.stdout.write(Buffer.from(diskStorage(${JSON.stringify(data)}).secret).toString('hex'))`
  const run = () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
  const secrets = (await Promise.all(Array.from({ length: 6 }, run))).map(({ stdout }) => stdout)
  expect(new Set(secrets).size).toBe(1)
  expect(secrets[0]).toHaveLength(64)
  expect(Buffer.from(diskStorage(data).secret).toString('hex')).toBe(secrets[0])
  expect(readdirSync(data).filter((name) => name.startsWith('secret'))).toEqual(['secret'])
  expect(statSync(join(data, 'secret')).mode & 0o777).toBe(0o600)
})

test('a secret that is damaged is refused, not replaced', () => {
  const data = folder()
  writeFileSync(join(data, 'secret'), 'short')
  expect(() => diskStorage(data)).toThrow(/is damaged: it has 5 bytes/)
})
