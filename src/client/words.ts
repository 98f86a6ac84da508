import { type Problem, SluiceError } from '../contract/errors.ts'
import type { OperationName } from '../contract/operations.ts'
import { detailIn, type Wording } from '../contract/wording.ts'

/** What the methods of the SDK are called; whatever has none is reached by `call`. */
const METHODS: Partial<Record<OperationName, string>> = {
  acquire_lock: 'ws.lock()',
  wait_for_lock: 'ws.lock()',
  change_lock: 'lock.change()',
  extend_recall: 'lock.extend()',
  release_lock: 'lock.release()',
  ask_holder: 'ws.ask()',
  answer_ask: 'ws.answer()',
  list_locks: 'ws.locks()',
  workspace_status: 'ws.status()',
  read_draft: 'ws.draft()',
  read_file: 'ws.read()',
  write_file: 'ws.write()',
  patch_file: 'ws.edit()',
  delete_file: 'ws.delete()',
  commit: 'ws.commit()',
  get_entry: 'ws.list()',
  get_history: 'ws.history()',
}

const WORDING: Wording = {
  takeBack: "sluice.call('handover_lock')",
  operation: (name) => METHODS[name] ?? `sluice.call('${name}')`,
  argument: (name) =>
    `"${name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}"`,
}

/** The message is in the words of the SDK; the problem stays as the server said it. */
export function refusedAs(problem: Problem): SluiceError {
  return new SluiceError(problem, detailIn(WORDING, problem))
}
