import { type Refusal, refuse } from '../../contract/errors.ts'
import { levelOf } from './mode.ts'
import type { Edge } from './waits-for.ts'

/** How a cycle of waiters is told: the whole of it, by name, and what releasing would end it. */
export function deadlockRefusal(cycle: readonly Edge[]): Refusal {
  const steps = cycle.map(({ waiter, item, owner, by }) => ({
    session: waiter.session,
    agent: waiter.agent,
    waits_for: { path: item.path, level: levelOf(item.mode) },
    held_by: owner.session,
    ...('lock' in by
      ? { lock: `L${by.lock.id}`, path: by.item.path }
      : { ticket: `T${by.ticket.id}` }),
  }))
  const yours = cycle.at(-1)
  const release =
    yours !== undefined && 'lock' in yours.by
      ? [{ lock: `L${yours.by.lock.id}`, path: yours.by.item.path }]
      : []
  const told = steps
    .slice(1)
    .map(
      (step) =>
        `${step.session} waits for ${step.waits_for.path}, ` +
        ('lock' in step ? `held by ${step.held_by} (${step.lock})` : `behind ${step.held_by}`),
    )
  const own = steps[0]
  const first =
    own === undefined
      ? 'others wait for you'
      : `${own.waits_for.path} is ${'lock' in own ? 'held by' : 'asked for before you by'} ${own.held_by}`
  const advice =
    release[0] === undefined
      ? 'Leave the queue you are in, then ask again.'
      : `Release ${release[0].lock} on ${release[0].path} first, then ask for both in one call.`
  return refuse('deadlock', `Waiting would never end: ${[first, ...told].join('; ')}. ${advice}`, {
    cycle: steps,
    release,
  })
}
