import type { Door, DoorAnswer, Notice } from '../../contract/door.ts'
import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Input, OperationName } from '../../contract/operations.ts'
import { parseInput } from '../../contract/parse.ts'
import type { Caller, Content, EngineApi, Request } from '../../engine/api.ts'

/**
 * A door straight to the engine of this process.
 *
 * @param caller one caller, or where to get it anew for each call (its rights may change meanwhile).
 */
export function engineDoor(engine: EngineApi, caller: Caller | (() => Promise<Caller>)): Door {
  const callerNow = async () => (typeof caller === 'function' ? caller() : caller)
  let last = typeof caller === 'function' ? undefined : caller
  let kept: Notice[] = []
  return {
    as: (name) => engineDoor(engine, async () => engine.callerAs(await callerNow(), name)),
    async giveBack(workspace, lock) {
      try {
        engine.giveBack(await callerNow(), workspace, lock)
      } catch (error) {
        // Of an agent that is gone, and its sessions and locks with it.
        if (!(error instanceof SluiceError)) throw error
      }
    },
    takeNotices(workspace) {
      const notices = last === undefined ? kept : [...kept, ...engine.takeNotices(last, workspace)]
      kept = []
      return notices
    },
    async call<N extends OperationName>(
      name: N,
      input: Input<N>,
      content?: Uint8Array,
      signal?: AbortSignal,
    ): Promise<DoorAnswer<N>> {
      const parsed = parseInput(name, input)
      if (!parsed.ok) throw new SluiceError(problemOf(parsed.refusal))
      const current = await callerNow()
      last = current
      // A status counts as telling; a tool that only looks something up in it tells nobody.
      if (name === 'workspace_status') {
        kept.push(
          ...engine.takeNotices(current, (input as Input<'workspace_status'>).workspace ?? 'main'),
        )
      }
      const request: Request<N> = { operation: name, input: parsed.input, caller: current }
      if (content !== undefined) request.content = content
      if (signal !== undefined) request.signal = signal
      const answer = await engine.call(request)
      const { value, revision } = answer
      if (answer.content === undefined) return { value, revision }
      return { value, revision, content: await wholeOf(answer.content) }
    },
  }
}

async function wholeOf(content: Content): Promise<Uint8Array> {
  if (content.bytes !== undefined) return content.bytes
  if (content.size > LIMITS.textBytes) {
    const most = `${LIMITS.textBytes / 1024 ** 2} MiB`
    fail(
      'too_large',
      `It has ${content.size} bytes; over ${most}, read it in parts over HTTP (Range).`,
    )
  }
  const parts: Uint8Array[] = []
  for await (const part of content.stream()) parts.push(part)
  return Buffer.concat(parts)
}
