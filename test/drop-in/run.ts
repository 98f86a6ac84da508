import { setTimeout as pause } from 'node:timers/promises'
import { placed } from './call.ts'
import type { RootsStep } from './calls/of-sessions.ts'
import type { CommandOf } from './commands.ts'
import { Comparison, type Side } from './compare.ts'
import type { Difference, Pair } from './difference.ts'
import { makePlace, type Place } from './folder/make.ts'
import { listDifferences } from './schemas.ts'
import type { Session } from './sessions.ts'
import { type Reply, StdioServer, type ToolServer } from './stdio-server.ts'

/** What stands between the comparison and a server, for tests of the comparison itself. */
export type Between = (server: ToolServer, place: Place) => ToolServer

/** Plays one session at both servers and tells what differs. */
export async function differencesIn(
  session: Session,
  commands: Pair<CommandOf>,
  between: Between = (server) => server,
): Promise<Difference[]> {
  await using stack = new AsyncDisposableStack()
  const place = async () => {
    const made = await makePlace(session.entries)
    stack.defer(() => made.remove())
    return made
  }
  const places = { official: await place(), ours: await place() }
  const [official, ours] = await Promise.allSettled([
    started(session, commands.official, places.official),
    started(session, commands.ours, places.ours),
  ])
  for (const one of [official, ours]) {
    if (one.status === 'fulfilled') stack.defer(() => one.value.close())
  }
  if (official.status === 'rejected' || ours.status === 'rejected') {
    return official.status === ours.status ? [] : [startDifference(session, { official, ours })]
  }
  const servers = { official: official.value, ours: ours.value }
  const sides = {
    official: { server: servers.official, place: places.official },
    ours: { server: between(servers.ours, places.ours), place: places.ours },
  }
  const comparison = new Comparison(session.name, sides)
  if (session.roots !== undefined) await settled(servers, places, session.roots)
  for (const step of session.steps) {
    if ('tool' in step) {
      await comparison.make(step)
    } else {
      servers.official.changeRoots(placedAt(step.roots, places.official))
      servers.ours.changeRoots(placedAt(step.roots, places.ours))
      await settled(servers, places, step)
    }
  }
  comparison.end()
  const described = session.isDescribed === true ? await lists(sides) : undefined
  return [
    ...versionDifferences(session, servers),
    ...(described === undefined ? [] : listDifferences(session.name, described)),
    ...comparison.differences,
  ]
}

async function lists({ official, ours }: Pair<Side>): Promise<Pair<Reply>> {
  return {
    official: await official.server.request('tools/list', {}),
    ours: await ours.server.request('tools/list', {}),
  }
}

function started(session: Session, commandOf: CommandOf, place: Place): Promise<StdioServer> {
  const { protocolVersion, roots } = session
  return StdioServer.start(commandOf(place, `${place.base}/${session.served}`), {
    protocolVersion,
    roots: roots === undefined ? undefined : placedAt(roots.roots, place),
  })
}

function placedAt(paths: readonly string[], place: Place): string[] {
  return placed(paths, place.folder) as string[]
}

/**
 * A server asks for roots in its own time, and nothing says when it is done: what it allows is looked
 * for until it is that. One that goes by other roots is not waited for for long: the calls will show it.
 */
async function settled(
  servers: Pair<StdioServer>,
  places: Pair<Place>,
  { allowed }: RootsStep,
): Promise<void> {
  const sides = ['official', 'ours'] as const
  await Promise.all(
    sides.map(async (side) => {
      const wanted = placedAt(allowed, places[side])
      for (let looks = 0; looks < LOOKS[side]; looks++) {
        if (await allows(servers[side], wanted)) return
        await pause(LOOK_MS)
      }
      if (side === 'official') throw new Error(`the official server never allowed ${wanted}`)
    }),
  )
}

async function allows(server: StdioServer, folders: readonly string[]): Promise<boolean> {
  const params = { name: 'list_allowed_directories', arguments: {} }
  const reply = await server.request('tools/call', params)
  const wanted = ['Allowed directories:', ...folders].join('\n')
  return JSON.stringify(reply).includes(JSON.stringify(wanted))
}

const LOOKS: Pair<number> = { official: 500, ours: 50 }
const LOOK_MS = 20

function startDifference(
  session: Session,
  results: Pair<PromiseSettledResult<StdioServer>>,
): Difference {
  const said = (result: PromiseSettledResult<StdioServer>): string =>
    result.status === 'fulfilled' ? 'starts' : `does not start: ${(result.reason as Error).message}`
  return {
    ...aboutStart(session),
    aspect: 'start',
    official: said(results.official),
    ours: said(results.ours),
  }
}

/** Of what a server says at first, only the version is for its client to go by. */
function versionDifferences(session: Session, servers: Pair<StdioServer>): Difference[] {
  const official = servers.official.about.protocolVersion
  const ours = servers.ours.about.protocolVersion
  if (official === ours) return []
  return [{ ...aboutStart(session), aspect: 'initialize', official, ours }]
}

function aboutStart({ name, served }: Session): Omit<Difference, 'aspect' | 'official' | 'ours'> {
  const call = { name: 'start', title: 'of the server', tool: '' }
  return { session: name, call, arguments: { served }, at: '' }
}
