/**
 * The little of a WebSocket that the SDK needs. Browsers and Node 22 have one; the `ws` package,
 * where it is installed, is quicker in Node.
 */
export interface Transport {
  send(frame: Uint8Array): void
  close(): void
  onOpen: () => void
  onFrame: (frame: Uint8Array) => void
  onClose: (code: number, reason: string) => void
}

export async function openTransport(url: string): Promise<Transport> {
  const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  const Socket = isNode ? (await import('ws')).default : globalThis.WebSocket
  const socket = isNode
    ? new (Socket as typeof import('ws').default)(url, { perMessageDeflate: false })
    : new (Socket as typeof globalThis.WebSocket)(url)
  socket.binaryType = 'arraybuffer'
  const transport: Transport = {
    send: (frame) => socket.send(frame as Uint8Array<ArrayBuffer>),
    close: () => socket.close(),
    onOpen: () => {},
    onFrame: () => {},
    onClose: () => {},
  }
  socket.onopen = () => transport.onOpen()
  socket.onmessage = (event: { data: unknown }) => {
    transport.onFrame(new Uint8Array(event.data as ArrayBuffer))
  }
  socket.onclose = (event: { code: number; reason: string }) => {
    transport.onClose(event.code, event.reason)
  }
  // A close always follows, and says all there is to say.
  socket.onerror = () => {}
  return transport
}
