import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Passes everything on as it is, with a token: the conformance suite sends none. */
export async function startTokenProxy(
  target: string,
  token: string,
): Promise<{ url: string; close(): void }> {
  const { hostname, port } = new URL(target)
  const server: Server = createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${token}` }
    const { method, url: path } = request
    const onward = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${own}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
