import { constants } from 'node:os'

/** A command that a signal ended, in the numbers of shells. */
export function exitOfSignal(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0)
}

export const CLI_STOPPED = exitOfSignal('SIGINT')
export const COMMAND_NOT_FOUND = 127
export const COMMAND_NOT_RUNNABLE = 126
