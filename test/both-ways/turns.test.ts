import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('one outsider at a path at a time, and those above and below it wait', async () => {
  const turns = new Turns()
  const order: string[] = []
  const task = (name: string) => async () => {
    order.push(`${name} begins`)
    await pause(5)
    order.push(`${name} ends`)
  }
  await Promise.all([
    turns.take(['/a/b'], task('b')),
    turns.take(['/c'], task('c')),
    turns.take(['/a'], task('a')),
    turns.take(['/a/d'], task('d')),
  ])
  expect(order.slice(0, 2)).toEqual(['b begins', 'c begins'])
  const others = order.filter((one) => !one.startsWith('c'))
  expect(others.slice(1)).toEqual(['b ends', 'a begins', 'a ends', 'd begins', 'd ends'])
})
