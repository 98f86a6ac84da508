/** Every bound of the contract in one place. Bytes, milliseconds or counts, as the name says. */
export const LIMITS = {
  pathBytes: 4096,
  nameBytes: 255,
  /** Contents up to this size ride in memory and become durable in the ledger's own write. */
  smallContentBytes: 64 * 1024,
  fileBytes: 5 * 1024 ** 3,
  /** Files up to this size can be edited as text. */
  textBytes: 32 * 1024 * 1024,
  /** Content of a file within one answer; text goes on from an offset. */
  answerBytes: 4 * 1024 * 1024,
  jsonBodyBytes: 4 * 1024 * 1024,
  socketFrameBytes: 8 * 1024 * 1024,
  socketRequestsInFlight: 4096,
  socketSendQueueBytes: 16 * 1024 * 1024,
  eventStreamQueueBytes: 8 * 1024 * 1024,
  /** Who leaves what it asked for unread so long is cut off: event streams and watches. */
  stalledMs: 60_000,
  /** A connection may be silent so long: more than any wait and the streams' heartbeats. */
  silenceMs: 120_000,
  connections: 20_000,
  /** Callers that share one connection by name (guard §1). */
  callersPerConnection: 1000,
  lockItems: 128,
  commitChanges: 10_000,
  listLimit: 1000,
  messageBytes: 4096,
  intentBytes: 1024,
  requestIdBytes: 128,
  answersPerSession: 1000,
  answersPerSessionWhenMany: 64,
  sessionsOpen: 20_000,
  ttlMs: { least: 1000, most: 24 * 3600_000, usual: 300_000 },
  waitMsMost: 25_000,
  disconnectGraceMs: 10_000,
  pendingCommands: 50_000,
  holdersNamed: 10,
  /** Unanswered questions of one session, and all that are remembered. */
  asksOpen: 20,
  asksKept: 1000,
  draftsKept: 10_000,
  lockDelayMsMost: 60_000,
} as const
