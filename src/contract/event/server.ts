import { z } from 'zod'
import { optional } from '../optional.ts'
import { event, first, line } from './row.ts'
import { type PathRight, pathRight, role, settings } from './settings.ts'

/** The facts about workspaces, principals, sessions, and what was refused. */

const named = z.object({ name: z.string() })
const ofServer = { ...first, of: 'server', audience: 'supervisors', about: 'nothing' } as const
const nameOnly = {
  data: named,
  shown: named,
  show: ({ name }: { name: string }) => ({ name }),
  detail: ({ name }: { name: string }) => name,
}

export const serverEvents = {
  'workspace-set': event({
    ...first,
    number: 1,
    of: 'workspace',
    audience: 'workspace',
    about: 'nothing',
    data: z.object({ settings }),
    shown: z.object({ settings }),
    show: (event) => ({ settings: event.settings }),
    detail: () => '',
  }),
  'command-refused': event({
    ...first,
    number: 40,
    of: 'both',
    audience: 'agent',
    data: z.object({
      /** The operation that was called. */
      command: z.string(),
      paths: z.array(z.string()),
      code: z.string(),
      detail: z.string(),
      problem: z.record(z.string(), z.unknown()).optional(),
      count: z.number(),
      requestIds: z.array(z.string()).optional(),
    }),
    about: { paths: ({ paths }) => paths },
    shown: z.object({
      command: z.string().describe('The operation that was called'),
      code: z.string(),
      detail: z.string(),
      count: z.int().describe('How often in that second'),
    }),
    show: ({ command, code, detail, count }) => ({ command, code, detail, count }),
    detail: ({ detail }) => detail,
  }),
  'session-opened': event({
    ...ofServer,
    number: 50,
    /** `about` is what the session said of itself: recorded, never trusted. */
    data: z.object({
      id: z.string(),
      ttlMs: z.number(),
      about: z.record(z.string(), z.string()).optional(),
      /** It lives as long as a connection. */
      tied: z.literal(true).optional(),
    }),
    shown: z.object({
      id: z.string(),
      ttl: z.number().describe('Seconds'),
      about: z.record(z.string(), z.string()).optional(),
      tied: z.literal(true).optional().describe('It lives as long as a connection'),
    }),
    show: ({ id, ttlMs, about, tied }) => ({
      id,
      ttl: ttlMs / 1000,
      ...optional('about', about),
      ...optional('tied', tied),
    }),
    detail: ({ id }) => id,
  }),
  'session-ended': event({
    ...first,
    number: 51,
    of: 'both',
    audience: 'workspace',
    about: 'nothing',
    data: z.object({
      id: z.string(),
      reason: z.enum(['ended', 'disconnected', 'idle', 'agent-removed']),
    }),
    shown: z.object({
      id: z.string(),
      reason: z.enum(['ended', 'disconnected', 'idle', 'agent-removed']),
    }),
    show: ({ id, reason }) => ({ id, reason }),
    detail: ({ id }) => id,
  }),
  'agent-set': event({
    ...ofServer,
    number: 52,
    data: z.object({
      name: z.string(),
      role,
      group: z.string().optional(),
      rights: z.array(pathRight),
    }),
    shown: z.object({
      name: z.string(),
      role,
      group: z.string().optional(),
      rights: z.array(pathRight),
    }),
    show: ({ name, role, group, rights }) => ({
      ...{ name, role, rights },
      ...optional('group', group),
    }),
    detail: ({ name, role, group, rights }) => line(name, role, group, ...rights.map(rightText)),
  }),
  'agent-removed': event({ ...ofServer, number: 53, ...nameOnly }),
  'token-created': event({
    ...ofServer,
    number: 54,
    data: named.extend({ sha256: z.string(), label: z.string().optional() }),
    shown: named.extend({ label: z.string().optional() }),
    show: ({ name, label }) => ({ name, ...optional('label', label) }),
    detail: ({ name }) => name,
  }),
  'tokens-revoked': event({ ...ofServer, number: 55, ...nameOnly }),
  'group-set': event({
    ...ofServer,
    number: 56,
    data: named.extend({ rights: z.array(pathRight) }),
    shown: named.extend({ rights: z.array(pathRight) }),
    show: ({ name, rights }) => ({ name, rights }),
    detail: ({ name, rights }) => line(name, ...rights.map(rightText)),
  }),
  'workspace-made': event({
    ...ofServer,
    number: 57,
    data: named.extend({ settings }),
    shown: named.extend({ settings }),
    show: ({ name, settings }) => ({ name, settings }),
    detail: ({ name }) => name,
  }),
  'workspace-removed': event({ ...ofServer, number: 58, ...nameOnly }),
}

function rightText({ workspace, path, access }: PathRight): string {
  return `${workspace === '*' ? path : `${workspace}:${path}`}=${access}`
}
