import {createServer, request as forward, type IncomingMessage, type ServerResponse} from 'node:http'
import {connect, type AddressInfo} from 'node:net'
import type {Duplex} from 'node:stream'

/** A server on 127.0.0.1, at a port of the system's choice. */
export interface LoopbackServer {
  /** `127.0.0.1:port` */
  readonly host: string
  /** Every request so far: method and path, or the target that a proxy was asked for. */
  readonly requests: readonly string[]
  readonly stop: () => Promise<void>
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Starts an HTTP server; `handle` answers. */
export async function serve(handle: Handler): Promise<LoopbackServer> {
  return await start(handle)
}

/**
 * Starts a forwarding proxy that takes requests in absolute form and CONNECT. With `credentials` (`user:password`) it
 * answers 407 to whoever does not send them.
 */
export async function serveProxy(credentials?: string): Promise<LoopbackServer> {
  const wanted = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  const mayPass = (request: IncomingMessage) =>
    wanted === undefined || request.headers['proxy-authorization'] === wanted
  const pass: Handler = (request, response) => {
    if (!mayPass(request)) response.writeHead(407).end()
    else {
      const inner = forward(request.url ?? '', {headers: request.headers}, answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      inner.once('error', () => {
        response.writeHead(502).end()
      })
      inner.end()
    }
  }
  return await start(pass, (request, socket) => {
    if (!mayPass(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const outward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      outward.pipe(socket).pipe(outward)
    })
    for (const end of [outward, socket]) {
      end.on('error', () => {
        for (const other of [outward, socket]) other.destroy()
      })
    }
  })
}

/** `127.0.0.1:port` of a port that nobody listens on. */
export async function deadHost(): Promise<string> {
  const server = await serve(() => undefined)
  await server.stop()
  return server.host
}

async function start(handle: Handler, tunnel?: (request: IncomingMessage, socket: Duplex) => void) {
  const requests: string[] = []
  const sockets = new Set<Duplex>()
  const note = ({method = '', url = ''}: IncomingMessage) => requests.push(`${method} ${url}`)
  const server = createServer((request, response) => {
    note(request)
    handle(request, response)
  })
  server.on('connection', (socket: Duplex) => sockets.add(socket))
  if (tunnel !== undefined)
    server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      note(request)
      tunnel(request, socket)
    })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is no string.
  const {port} = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    requests,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
