/**
 * Is a history of calls linearizable? The search of Wing and Gong with Lowe's linked list: calls and
 * returns in the order they happened; a call whose effect is possible now is lifted out, one that is
 * not is passed over, and at a return whose call is still there the last choice was wrong. What was
 * tried from the same set of lifted calls and the same state is not tried again.
 */
export interface Call<I> {
  input: I
  invoked: number
  /** Infinity: never. Then it may have had its effect at any time since, or not at all. */
  returned: number
}

export interface Spec<S, I> {
  initial: S
  /** The state after it, or undefined where it could not have been answered as it was. */
  step(state: S, input: I): S | undefined
  /** The same text for the same state only. */
  key(state: S): string
}

export type Verdict = 'linearizable' | 'not linearizable' | 'undecided'

export function decide<S, I>(
  spec: Spec<S, I>,
  calls: readonly Call<I>[],
  mostSteps: number,
): { verdict: Verdict; steps: number; stuckAt: Call<I> | undefined } {
  const head = listOf(calls)
  const lifted = new Uint32Array(Math.ceil(calls.length / 32))
  const seen = new Set<string>()
  const chosen: { node: Node<I>; state: S }[] = []
  let left = calls.filter((call) => Number.isFinite(call.returned)).length
  let { initial: state } = spec
  let node = head.next
  let steps = 0
  let deepest = -1
  let stuckAt: Call<I> | undefined
  while (left > 0) {
    if (++steps > mostSteps) return { verdict: 'undecided', steps, stuckAt }
    if (node !== undefined && !node.isReturn) {
      const after = spec.step(state, node.call.input)
      const isNew = after !== undefined && isUnseen(spec, seen, lifted, node.index, after)
      if (!isNew) {
        node = node.next
        continue
      }
      chosen.push({ node, state })
      state = after
      flip(lifted, node.index)
      if (node.match !== undefined) left -= 1
      lift(node)
      node = head.next
      continue
    }
    // A return that nothing explains, or the end of the list: take the last choice back.
    if (node !== undefined && chosen.length > deepest) {
      deepest = chosen.length
      stuckAt = node.call
    }
    const last = chosen.pop()
    if (last === undefined) return { verdict: 'not linearizable', steps, stuckAt }
    state = last.state
    flip(lifted, last.node.index)
    if (last.node.match !== undefined) left += 1
    unlift(last.node)
    node = last.node.next
  }
  return { verdict: 'linearizable', steps, stuckAt: undefined }
}

interface Node<I> {
  call: Call<I>
  index: number
  isReturn: boolean
  /** Of a call: its return. */
  match: Node<I> | undefined
  previous: Node<I> | undefined
  next: Node<I> | undefined
}

function listOf<I>(calls: readonly Call<I>[]): Node<I> {
  const events: { at: number; node: Node<I> }[] = []
  for (const [index, call] of calls.entries()) {
    const plain = { call, index, match: undefined, previous: undefined, next: undefined }
    const node: Node<I> = { ...plain, isReturn: false }
    events.push({ at: call.invoked, node })
    if (!Number.isFinite(call.returned)) continue
    node.match = { ...plain, isReturn: true }
    events.push({ at: call.returned, node: node.match })
  }
  // Of what happened in one step nobody knows the order, so calls come before returns.
  events.sort((a, b) => a.at - b.at || Number(a.node.isReturn) - Number(b.node.isReturn))
  const head = { previous: undefined, next: undefined } as Node<I>
  let last = head
  for (const { node } of events) {
    last.next = node
    node.previous = last
    last = node
  }
  return head
}

function lift<I>(node: Node<I>): void {
  unlink(node)
  if (node.match !== undefined) unlink(node.match)
}

function unlift<I>(node: Node<I>): void {
  if (node.match !== undefined) relink(node.match)
  relink(node)
}

function unlink<I>(node: Node<I>): void {
  if (node.previous !== undefined) node.previous.next = node.next
  if (node.next !== undefined) node.next.previous = node.previous
}

function relink<I>(node: Node<I>): void {
  if (node.previous !== undefined) node.previous.next = node
  if (node.next !== undefined) node.next.previous = node
}

function flip(bits: Uint32Array, index: number): void {
  const word = index >>> 5
  bits[word] = ((bits[word] as number) ^ (1 << (index & 31))) >>> 0
}

function isUnseen<S, I>(
  spec: Spec<S, I>,
  seen: Set<string>,
  lifted: Uint32Array,
  index: number,
  after: S,
): boolean {
  flip(lifted, index)
  const key = `${lifted.join(',')} ${spec.key(after)}`
  flip(lifted, index)
  if (seen.has(key)) return false
  seen.add(key)
  return true
}
