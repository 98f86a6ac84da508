import { createHash } from 'node:crypto'
import { isOnce, parentOf } from '../../contract/caller.ts'
import { fail } from '../../contract/errors.ts'
import { OPERATION_NAMES, type OperationName, operationOf } from '../../contract/operations.ts'
import type { Actor } from '../../core/command.ts'
import type { Owner } from '../../core/lock/table.ts'
import type { Workspace } from '../workspace.ts'
import { randomName } from './registry.ts'
import type { Sessions } from './sessions.ts'

/**
 * Who acts where nothing says who calls (guard §2): plain HTTP and stateless MCP without a session.
 *
 * Each lock that such a caller takes belongs to a caller made for it, so that two of them exclude each
 * other; its token, or the ticket that only it was told, proves the next call. A named caller may
 * prove a lock of its own agent so too.
 */
export class Proof {
  private readonly sessions: Sessions

  constructor(sessions: Sessions) {
    this.sessions = sessions
  }

  /** Whether a call may have to be somebody else's. Most have not, and pay nothing for it. */
  isNeeded(operation: OperationName, input: object, actor: Actor): boolean {
    return actor.unnamed === true || (ON_LOCK.has(operation) && 'locks' in input)
  }

  async actorFor(
    operation: OperationName,
    asked: object,
    actor: Actor,
    workspace: Workspace,
  ): Promise<Actor> {
    const input: Asked = asked
    if (ON_LOCK.has(operation)) return this.ofLock(input, actor, workspace)
    if (actor.unnamed !== true) return actor
    if (operation === 'acquire_lock') return this.forOneLock(input, actor)
    if (operation === 'release_all_locks') return nobodys()
    const owner = workspace.ownerOfTicket(input.ticket) ?? workspace.ownerOfAsk(input.ask)
    const isOwn =
      owner !== undefined && isOnce(owner.session) && parentOf(owner.session) === actor.session
    return isOwn ? this.holder(owner, actor) : actor
  }

  /** A retry with the same request id is the same caller, so that it gets the same lock. */
  private forOneLock({ request_id: id }: Asked, actor: Actor): Promise<Actor> {
    const name =
      id === undefined
        ? randomName()
        : createHash('sha256').update(id).digest('base64url').slice(0, 16)
    return this.sessions.callerOnce(actor, name.replaceAll('-', '.'))
  }

  private ofLock(input: Asked, actor: Actor, workspace: Workspace): Actor {
    const { owner, isHeld } = workspace.ownerOfLock(input.id) ?? {}
    if (owner === undefined || owner.agent !== actor.agent) return actor
    const isProven = input.locks?.some((token) => workspace.isTokenOf(token, input.id)) === true
    if (isProven) return this.holder(owner, actor)
    if (actor.unnamed !== true || input.force === true || !isHeld) return actor
    return fail(
      'forbidden',
      `Nothing says that ${input.id} is yours: this call does not say who makes it. Pass the token of ` +
        'the lock with "locks"; or say who calls as you did when you took it, with "as".',
      { lock: input.id, needed: 'token' },
    )
  }

  private holder(owner: Owner, actor: Actor): Actor {
    return this.sessions.actorOf(owner.session) ?? actor
  }
}

/** What proofs are about, of whatever operation. */
interface Asked {
  id?: string | undefined
  ticket?: string | undefined
  ask?: string | undefined
  locks?: string[] | undefined
  force?: boolean | undefined
  request_id?: string | undefined
}

function nobodys(): never {
  return fail(
    'invalid_request',
    'This call does not say who makes it, so nothing says which locks are yours. Release them one by ' +
      'one with their tokens ("locks"), or say who calls with "as".',
    { fields: [{ field: 'session', fault: 'needed' }] },
  )
}

/** The operations that name a lock and take its token as the proof that it is one's own. */
const ON_LOCK: ReadonlySet<OperationName> = new Set(
  OPERATION_NAMES.filter((name) => {
    const { shape } = operationOf(name).input
    return 'id' in shape && 'locks' in shape
  }),
)
