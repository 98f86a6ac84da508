import { expect, it } from 'vitest'
import { fail } from '../../src/contract/errors.ts'
import type { Asking } from '../../src/engine/admission.ts'
import { EngineWorld, settle } from './world.ts'

/** A plain example: nobody sends more than 100 bytes, and bob has to wait for his turn. */
async function admitted() {
  const asked: Asking[] = []
  const turn = Promise.withResolvers<void>()
  const world = new EngineWorld()
  world.extensions = {
    admit(asking) {
      if (asking.agent !== 'admin') asked.push(asking)
      if ((asking.bytes ?? 0) > 100) {
        fail('rate_limited', 'Too much at once. Send it in parts.', { retry_after_s: 2 })
      }
      return asking.agent === 'bob' ? turn.promise : undefined
    },
  }
  await world.start()
  return { world, asked, turn }
}

it('admission: a call is told by who asks, for what and how large it is', async () => {
  const { world, asked } = await admitted()
  await world.call('ann', 'write_file', { path: '/f' }, 'x'.repeat(42))
  await world.call('ann', 'list_sessions', {})
  expect(asked).toEqual([
    {
      ...{ operation: 'write_file', workspace: 'main' },
      ...{ agent: 'ann', session: 'ann:default', bytes: 42 },
    },
    {
      ...{ operation: 'list_sessions', workspace: undefined },
      ...{ agent: 'ann', session: 'ann:default', bytes: undefined },
    },
  ])
})

it('admission: what is refused has not read its body, and is in the audit', async () => {
  const { world } = await admitted()
  let isRead = false
  async function* body() {
    isRead = true
    yield Buffer.from('x')
  }
  const caller = await world.caller('ann')
  const call = world.engine.call({
    operation: 'write_file',
    input: { workspace: 'main', path: '/f' },
    caller,
    content: body(),
    contentBytes: 1000,
  })
  await expect(call).rejects.toMatchObject({ code: 'rate_limited', problem: { retry_after_s: 2 } })
  expect(isRead).toBe(false)
  const { rows } = await world.call('admin', 'query_audit', { outcome: 'refused' })
  expect(rows).toMatchObject([{ kind: 'write_file', agent: 'ann', code: 'rate_limited' }])
})

it('admission: who has to wait is let in later, and holds up nobody else', async () => {
  const { world, turn } = await admitted()
  const waiting = world.call('bob', 'write_file', { path: '/b' }, 'x')
  await settle()
  await world.call('ann', 'write_file', { path: '/a' }, 'x')
  expect(await world.code(world.text('ann', '/b'))).toBe('not_found')
  turn.resolve()
  expect(await waiting).toMatchObject({ version: 2 })
})
