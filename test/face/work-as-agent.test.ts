import { expect, test } from 'vitest'
import { serveReal } from './serve.ts'

const FILES = '/v1/workspaces/main/files'

test('contract §6: an admin that names a session of an agent works as that agent, others may not', async () => {
  const { ask } = await serveReal()
  const headers = { 'sluice-session': 'agent-b:shell' }
  const written = await ask('PUT', `${FILES}/a`, { body: 'x', token: 'token-admin', headers })
  expect(written.status).toBe(201)
  const facts = await ask('GET', '/v1/workspaces/main/entries/a')
  expect(await facts.json()).toMatchObject({
    modified_by: { agent: 'agent-b', session: 'agent-b:shell' },
  })
  const other = await ask('GET', `${FILES}/a`, { headers })
  expect(other.status).toBe(403)
  const nobody = await ask('GET', `${FILES}/a`, {
    token: 'token-admin',
    headers: { 'sluice-session': 'nobody:shell' },
  })
  expect(nobody.status).toBe(404)
})

test('contract §6: a deletion says what it did where that is preferred, else nothing', async () => {
  const { ask } = await serveReal()
  await ask('PUT', `${FILES}/a`, { body: 'x' })
  const headers = { prefer: 'respond-async, return=representation' }
  const said = await ask('DELETE', `${FILES}/a`, { headers })
  expect(said.status).toBe(200)
  expect(said.headers.get('preference-applied')).toBe('return=representation')
  expect(await said.json()).toMatchObject({ path: '/a' })
  await ask('PUT', `${FILES}/a`, { body: 'x' })
  const silent = await ask('DELETE', `${FILES}/a`)
  expect(silent.status).toBe(204)
  expect(await silent.text()).toBe('')
})
