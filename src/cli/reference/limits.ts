import { DEFAULT_SETTINGS, type Settings } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { code, page, table } from './markdown.ts'

const ABOUT = `Every bound of the contract. Names end in their unit: bytes, milliseconds (\`Ms\`), else counts. They are the same for all servers of a release; settings of a workspace are set by an admin (\`put_workspace\`).`

/** `ttlMs.least` for a limit that has parts. */
type LimitName = {
  [K in keyof typeof LIMITS]: (typeof LIMITS)[K] extends number
    ? K
    : `${K}.${keyof (typeof LIMITS)[K] & string}`
}[keyof typeof LIMITS]

const WORDS = {
  pathBytes: 'A path',
  nameBytes: 'One name in a path',
  smallContentBytes:
    'Contents up to this size are stored in the ledger itself, larger ones as files',
  fileBytes: 'A file; a workspace may have a lower limit',
  textBytes: 'A file that is edited as text',
  answerBytes: 'Content of a file within one answer; text goes on from an offset',
  jsonBodyBytes: 'The JSON body of a request',
  socketFrameBytes: 'A frame of the socket',
  socketRequestsInFlight: 'Requests under way on one socket',
  socketSendQueueBytes: 'What a socket’s client has not read yet; more, and it is cut off',
  eventStreamQueueBytes: 'The same for an event stream',
  stalledMs: 'A reader that takes nothing for so long is cut off',
  silenceMs: 'A connection that is silent for so long is closed',
  callersPerConnection: 'Callers that share one connection by name',
  connections: 'Open connections',
  lockItems: 'Paths of one lock',
  commitChanges: 'Changes of one commit',
  listLimit: 'Entries of one page of a list',
  messageBytes: 'The message of a commit',
  intentBytes: 'The intent of a lock',
  requestIdBytes: 'A request id',
  answersPerSession: 'Answers a session keeps for repeated requests',
  answersPerSessionWhenMany: 'The same where there are very many sessions',
  sessionsOpen: 'Open sessions',
  'ttlMs.least': 'Shortest TTL of a lock',
  'ttlMs.most': 'Longest TTL of a lock',
  'ttlMs.usual': 'TTL of a lock where none is given',
  waitMsMost: 'Longest wait of one request; the place in the queue is kept afterwards',
  disconnectGraceMs: 'From a session’s last connection closing to its end',
  pendingCommands: 'Commands that wait to be decided; more are refused',
  holdersNamed: 'Holders that a refusal names',
  asksOpen: 'Unanswered questions to holders of one session',
  asksKept: 'Questions to holders that are remembered',
  draftsKept: 'Drafts of writes that came after their lock was lost',
  lockDelayMsMost: 'Longest time the paths of a lost lock stay closed',
} as const satisfies Record<LimitName, string>

const SETTINGS: Record<keyof Settings, string> = {
  write_mode:
    '`checked`: replacing a file needs its version or having read it; `locked`: every write needs a lock; `open`: neither',
  portable_names: 'Names that differ in case only are one name; fixed when the workspace is made',
  keep_bytes:
    'Of a folder: contents up to so many bytes are kept when they are read or changed from outside',
  guard: 'Of a folder: "mode" takes the write bits of files away while somebody holds them',
  exclusive_hides_reads: 'An exclusive lock keeps readers out too',
  lock_ttl_s: 'TTL of a lock where none is given, in seconds',
  file_bytes: 'A file, in bytes',
  locks_per_agent: 'Locks of one agent',
  locks_per_workspace: 'Locks in all',
  waiting_per_agent: 'Waiting requests of one agent',
  waiting_per_workspace: 'Waiting requests in all',
  order:
    '`fcfs`: who waits is served by ticket, readers in phases; `priority`: by priority with age',
  age_step_s: 'Waiting that is worth one step of priority, in seconds',
  wins_in_a_row:
    'Grants of one contended path to one agent in a row while another agent could take it',
  max_hold_s: 'A lock that others wait for is recalled after so many seconds',
  minimum_hold_s: 'A holder has at least so many seconds before the time to give back starts',
  recall_grace_s: 'Seconds a recalled holder has; once it may have the same again',
  recall_margin:
    'With `order: priority`, how much more urgent a waiter must be for the holder to be recalled',
  recall_cooldown_s: 'An agent for whom somebody was recalled is not preferred again for so long',
  lock_delay_s: 'Seconds the paths of a lost lock stay closed, where the lock does not say',
  claim_window_s: 'Seconds to fetch a lock that was granted to a ticket',
  draft_kept_s: 'Seconds that a write refused because its lock was lost is kept as a draft',
}

export function limitsPage(): string {
  const limits = Object.entries(LIMITS).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as const]
      : Object.entries(value).map(([part, one]) => [`${name}.${part}`, one] as const),
  )
  return page('Limits', ABOUT, [
    table(
      ['limit', 'value', 'of'],
      limits.map(([name, value]) => [code(name), String(value), wordsFor(name)]),
    ),
    '## Settings of a workspace',
    table(
      ['setting', 'default', 'of'],
      (Object.keys(SETTINGS) as (keyof Settings)[]).map((name) => [
        code(name),
        code(String(DEFAULT_SETTINGS[name])),
        SETTINGS[name],
      ]),
    ),
  ])
}

function wordsFor(name: string): string {
  return WORDS[name as LimitName]
}
