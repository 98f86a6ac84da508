/** What was not durable is gone: the caller may try again. */
export class StreamFailed extends Error {
  override name = 'StreamFailed'
  /** It may have been stored all the same. */
  readonly isUnknown: boolean
  constructor(cause: Error, isUnknown = false) {
    super(cause.message, { cause })
    this.isUnknown = isUnknown
  }
}
