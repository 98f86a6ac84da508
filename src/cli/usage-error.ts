/** The command line, the environment or the configuration file says something that cannot be meant. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The command could not do its work, for a reason that its user can do something about. */
export class Failure extends Error {
  override name = 'Failure'
  readonly exit: number
  constructor(message: string, exit = 1) {
    super(message)
    this.exit = exit
  }
}

/** Exit code of a server that found another one on its folder; whoever started it looks for that. */
export const TAKEN = 75
