import { truncate } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { callsOf } from './call.ts'
import { commandsOf } from './commands.ts'
import type { Pair } from './difference.ts'
import { expectNone, SEED, SESSION_MS } from './expect-none.ts'
import { entriesOf } from './folder/make.ts'
import { ROOTS_ENTRIES } from './folder/other.ts'
import { REASONS } from './reasons.ts'
import { reportOn } from './report.ts'
import { type Between, differencesIn } from './run.ts'
import { type Session, sessionsOf } from './sessions.ts'
import type { Reply } from './stdio-server.ts'

const SESSIONS = sessionsOf(SEED)
const commands = commandsOf()
const officials: Pair<typeof commands.official> = {
  official: commands.official,
  ours: commands.official,
}

describe('the harness itself: official against official has no differences', () => {
  for (const session of SESSIONS) {
    test(
      `in the session "${session.name}", of ${session.steps.length} steps`,
      async () => {
        expectNone(await differencesIn(session, officials), [])
      },
      SESSION_MS,
    )
  }
})

describe('the harness itself: a difference is found', () => {
  const session: Session = {
    name: 'planted',
    entries: entriesOf(ROOTS_ENTRIES, []),
    served: 'folder',
    protocolVersion: '2025-11-25',
    steps: callsOf('planted', [
      ['write_file', 'first', { path: '@/new.txt', content: 'new\n' }],
      ['read_text_file', 'second', { path: '@/new.txt' }],
      ['write_file', 'third', { path: 'docs/relative.txt', content: 'relative\n' }],
      ['search_files', 'fourth', { path: '@', pattern: '**' }],
    ]),
  }

  const found = async (between: Between): Promise<string[]> => {
    const differences = await differencesIn(session, officials, between)
    return differences.map(({ call, aspect, at }) => `${call.title}: ${aspect} ${at}`.trim())
  }

  test('of one text', async () => {
    const altered = altering('read_text_file', '@/new.txt', (reply) => withText(reply, 'now\n'))
    expect(await found(altered)).toEqual(['second: content', 'second: structured content'])
  })

  test('of one byte of one file, once', async () => {
    const altered = altering('write_file', 'docs/relative.txt', async (reply, folder) => {
      await truncate(`${folder}/docs/relative.txt`, 'relative'.length)
      return reply
    })
    expect(await found(altered)).toEqual(['third: disk folder/docs/relative.txt'])
  })

  test('of what one does and the other refuses, changing something nevertheless', async () => {
    const altered = altering('write_file', 'docs/relative.txt', (reply) => asError(reply))
    expect(await found(altered)).toEqual([
      'third: success',
      'third: changed by a refusal folder/docs/relative.txt',
    ])
  })

  test('of what is not answered', async () => {
    const silence: Reply = { kind: 'silent', why: 'for a test' }
    const altered = altering('read_text_file', '@/new.txt', () => silence)
    expect(await found(altered)).toEqual(['second: silence'])
  })

  test('and a reason that nothing needs is told', () => {
    const ids = REASONS.map(({ id }) => id)
    expect(reportOn([], REASONS)).toEqual({ unexplained: [], explained: new Map(), stale: ids })
    expect(new Set(ids).size).toBe(ids.length)
  })
})

/** A server whose answers to the calls of one tool on one path are not what they were. */
function altering(
  tool: string,
  path: string,
  alter: (reply: Reply, folder: string) => Reply | Promise<Reply>,
): Between {
  return (server, { folder }) => ({
    async request(method, params) {
      const reply = await server.request(method, params)
      const { name, arguments: args } = params as { name?: string; arguments?: { path?: unknown } }
      const isMeant = name === tool && args?.path === path.replace('@', folder)
      return isMeant ? alter(reply, folder) : reply
    },
  })
}

function withText(reply: Reply, text: string): Reply {
  const content = [{ type: 'text', text }]
  return {
    kind: 'result',
    result: { ...resultOf(reply), content, structuredContent: { content: text } },
  }
}

function asError(reply: Reply): Reply {
  return { kind: 'result', result: { ...resultOf(reply), isError: true } }
}

function resultOf(reply: Reply): Record<string, unknown> {
  return reply.kind === 'result' ? reply.result : {}
}
