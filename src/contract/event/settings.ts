import { z } from 'zod'

/** What is set for a workspace, and for an agent: stored in facts, asked and answered alike. */
export const settings = z.object({
  write_mode: z.enum(['checked', 'locked', 'open']),
  portable_names: z.boolean(),
  exclusive_hides_reads: z.boolean(),
  lock_ttl_s: z.number().min(1).max(86_400),
  file_bytes: z.int().min(0),
  locks_per_agent: z.int().min(0),
  locks_per_workspace: z.int().min(0),
  waiting_per_agent: z.int().min(0),
  waiting_per_workspace: z.int().min(0),
  /** Who is next: by ticket, or by priority with age. */
  order: z.enum(['fcfs', 'priority']),
  /** One step of priority for so many seconds of waiting. */
  age_step_s: z.number().min(0.1).max(3600),
  /** Grants of one contended path to one agent in a row, while another could take it. */
  wins_in_a_row: z.int().min(1).max(1_000_000),
  /** A hold that others wait for is recalled after so long. */
  max_hold_s: z.number().min(1).max(604_800),
  /** Nobody is recalled before having held so long. */
  minimum_hold_s: z.number().min(0).max(3600),
  /** Time a recalled holder has; it may ask for the same once more. */
  recall_grace_s: z.number().min(0).max(3600),
  /** How much more urgent a waiter must be than the holder to have it recalled. */
  recall_margin: z.int().min(1).max(1000),
  /** An agent for whom somebody was recalled is not preferred again for so long. */
  recall_cooldown_s: z.number().min(0).max(86_400),
  /** Used where a lock says nothing: how long its paths stay closed after it is lost. */
  lock_delay_s: z.number().min(0).max(60),
  /** A lock granted to somebody who does not come for it passes on after so long. */
  claim_window_s: z.number().min(1).max(3600),
  /** What a revoked holder wanted to write is kept so long. */
  draft_kept_s: z.number().min(0).max(2_592_000),
  /** Of a folder: contents up to so many bytes are kept when they are read, or changed from outside. */
  keep_bytes: z.int().min(0),
  /** Of a folder: "mode" takes the write bits of files away while somebody holds them (folder §12). */
  guard: z.enum(['off', 'mode']),
})

export const role = z.enum(['agent', 'supervisor', 'human', 'admin'])
export const pathRight = z.object({
  workspace: z.string(),
  path: z.string(),
  access: z.enum(['none', 'read', 'write']),
})

export type Settings = z.infer<typeof settings>
export type Role = z.infer<typeof role>
export type PathRight = z.infer<typeof pathRight>

export const DEFAULT_SETTINGS: Settings = {
  write_mode: 'checked',
  portable_names: true,
  exclusive_hides_reads: false,
  lock_ttl_s: 300,
  file_bytes: 5 * 1024 ** 3,
  locks_per_agent: 10_000,
  locks_per_workspace: 200_000,
  waiting_per_agent: 10_000,
  waiting_per_workspace: 20_000,
  order: 'fcfs',
  age_step_s: 5,
  wins_in_a_row: 3,
  max_hold_s: 3600,
  minimum_hold_s: 5,
  recall_grace_s: 30,
  recall_margin: 3,
  recall_cooldown_s: 30,
  lock_delay_s: 0,
  claim_window_s: 30,
  draft_kept_s: 24 * 3600,
  keep_bytes: 64 * 1024 ** 2,
  guard: 'off',
}
