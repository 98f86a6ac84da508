import { expect, test } from 'vitest'
import { plainPath, searchPlugin } from '../../src/face/http/docs-script.ts'
import { askExactly, serve } from './serve.ts'

test('contract §6: the page of the reference needs no token, no network, and runs nothing inline', async () => {
  const { ask } = await serve()
  const page = await ask('GET', '/docs', { token: null })
  expect(page.status).toBe(200)
  const html = await page.text()
  // Neither scripts nor styles stand in the page itself.
  expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*src=)/)
  const files = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to as string)
  expect(files).toContain('/docs/static/swagger-initializer.js')
  for (const path of ['/docs/', '/docs/json', ...files]) {
    const answer = await ask('GET', path, { token: null })
    expect(answer.status, path).toBe(200)
    expect(answer.headers.get('x-content-type-options'), path).toBe('nosniff')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy, path).toContain("default-src 'none'")
    // Whatever the scripts hold, the browser lets them reach this server only.
    const sources = policy.split(';').flatMap((one) => one.trim().split(' ').slice(1))
    expect(sources.filter((one) => !["'none'", "'self'", 'data:'].includes(one))).toEqual([])
    const text = await answer.text()
    if (!/bundle|preset|json$/.test(path)) expect(foreignIn(text), path).toEqual([])
  }
})

/** Hosts that a page or a script could call; the names of XML's vocabularies are not addresses. */
function foreignIn(text: string): string[] {
  const code = text.replaceAll(/^\s*\/\/.*$/gm, '')
  const found = [...code.matchAll(/(?:https?:)?\/\/([a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi)]
  return found.map(([, host]) => host as string).filter((host) => host !== 'www.w3.org')
}

test('contract §6: the page shows the document of this server, and asks nobody to judge it', async () => {
  const { ask } = await serve()
  const document = await (await ask('GET', '/openapi.json', { token: null })).json()
  expect(await (await ask('GET', '/docs/json', { token: null })).json()).toEqual(document)
  expect(JSON.parse(await (await ask('GET', '/docs/yaml', { token: null })).text())).toEqual(
    document,
  )
  const script = await (await ask('GET', '/docs/static/swagger-initializer.js')).text()
  expect(script).toMatch(/validatorUrl: null/)
  expect(() => new Function(script)).not.toThrow()
})

test('contract §6: below the page there are its files and nothing else', async () => {
  const { ask, url } = await serve()
  for (const path of [
    '/docs/x',
    '/docs/static/none.js',
    '/docs/static/../package.json',
    '/docs/static/%2e%2e/package.json',
    '/docs/static/..%2fpackage.json',
    '/docs/static//etc/passwd',
  ]) {
    const answer = await askExactly(url, { path })
    expect([400, 403, 404], path).toContain(answer.status)
    expect(answer.headers['content-type'], path).toMatch(/^application\/problem\+json/)
    expect(answer.headers['x-content-type-options'], path).toBe('nosniff')
  }
  expect((await ask('POST', '/docs', { json: {} })).status).toBe(404)
  expect((await ask('HEAD', '/docs', { token: null })).status).toBe(200)
})

test('contract §6: the try-it sends paths of files as they are', () => {
  const sent = (url: string) => plainPath({ url }).url
  const files = 'http://h/v1/workspaces/main/files'
  expect(sent(`${files}/%2Fdocs%2Fa%20b.md`)).toBe(`${files}/docs/a%20b.md`)
  expect(sent(`${files}/a.md?message=1%2F2`)).toBe(`${files}/a.md?message=1%2F2`)
})

test('contract §6: the search finds operations by group, path, name and summary', () => {
  const operations = [
    { method: 'put', path: '/files/{path}', operationId: 'write_file', summary: 'Write a file.' },
    { method: 'post', path: '/locks', operationId: 'acquire_lock', summary: 'Wait for a turn.' },
  ].map((row) => ({
    get: (key: string) => row[key as 'path'],
    getIn: ([, key]: readonly string[]) => row[key as 'path'],
    row,
  }))
  const found = (phrase: string) => {
    let left = operations
    const tag = {
      get: () => ({ size: left.length }),
      update(_: string, change: (list: object) => object) {
        change({
          filter(test: (one: object) => boolean) {
            left = operations.filter(test)
          },
        })
        return tag
      },
    }
    const tags = {
      map(change: (one: object, name: string) => object) {
        change(tag, 'group')
        return tags
      },
      filter: (test: (one: object) => boolean) => (test(tag) ? left : []),
    }
    const all = searchPlugin().fn.opsFilter(tags as never, phrase) as unknown as typeof operations
    return all.map(({ row }) => row.operationId)
  }
  expect(found('WRITE_')).toEqual(['write_file'])
  expect(found('turn')).toEqual(['acquire_lock'])
  expect(found('/locks')).toEqual(['acquire_lock'])
  expect(found('group')).toEqual(['write_file', 'acquire_lock'])
  expect(found('nothing')).toEqual([])
})
