import { expect, test } from 'vitest'
import { serverNote } from '../../src/server-note.ts'
import { answered, connectMcp } from './mcp-agent.ts'
import { Place, until } from './sluice.ts'

test('sluice mcp whose server is stopped for good says so when it has waited long enough, and starts none', async () => {
  const place = new Place()
  const theirs = await place.serve()
  const agent = await connectMcp(place)
  const { session } = await agent.call('workspace_status')
  await theirs.stop()
  expect(await agent.call('workspace_status')).toMatchObject({ code: 'overloaded' })
  expect(serverNote(place.data)).toBeUndefined()
  await place.serve()
  const status = await until(async () => answered(await agent.call('workspace_status')))
  expect(status).toMatchObject({ session })
}, 40_000)
