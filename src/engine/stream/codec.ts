import { Packr } from 'msgpackr'
import { EVENT_KINDS, type Event, type EventKind, eventRowOf } from '../../contract/events.ts'
import { LedgerDamaged } from '../../store/ledger.ts'

/**
 * How facts lie in the ledger: a MessagePack array of `[kind number, version, at, agent, session,
 * data]`. The revision is the place in the stream: the batch's first plus the index. Plain maps, no
 * extensions, so that any MessagePack reader can audit a ledger.
 */
const packr = new Packr({ useRecords: false, moreTypes: false })

const kindByNumber = new Map<number, EventKind>(
  (Object.keys(EVENT_KINDS) as EventKind[]).map((kind) => [EVENT_KINDS[kind].number, kind]),
)

export function encodeEvents(events: readonly Event[]): Uint8Array {
  const rows = new Array<unknown>(events.length)
  for (let i = 0; i < events.length; i++) {
    const { revision: _, kind, at, agent, session, ...data } = events[i] as Event
    const row = EVENT_KINDS[kind]
    rows[i] = [row.number, row.version, at, agent, session, data]
  }
  // msgpackr packs into a buffer it shares; the ledger wants bytes of its own to hand over.
  return Uint8Array.prototype.slice.call(packr.pack(rows))
}

/** Older versions of a kind are lifted to the newest, as its row says. */
export function decodeEvents(payload: Uint8Array, first: number): Event[] {
  const rows = packr.unpack(payload) as [number, number, number, string, string, object][]
  return rows.map(([number, version, at, agent, session, data], index) => {
    const revision = first + index
    const kind = kindByNumber.get(number)
    if (kind === undefined || version > EVENT_KINDS[kind].version) {
      throw new LedgerDamaged(
        revision,
        `event kind ${number} version ${version} is not known; a newer Sluice may have written it`,
      )
    }
    const lifted = version === EVENT_KINDS[kind].version ? data : upcast(kind, version, data)
    return { ...lifted, revision, kind, at, agent, session } as Event
  })
}

function upcast(kind: EventKind, from: number, data: object): object {
  const { version, upcasts } = eventRowOf(kind)
  let lifted = data as Record<string, unknown>
  for (let at = from; at < version; at++) lifted = upcasts[at]?.(lifted) ?? lifted
  return lifted
}
