import {createServer, type IncomingMessage, request as forward, type ServerResponse} from 'node:http'
import {createServer as createTlsServer} from 'node:https'
import type {AddressInfo, Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import type {CertificateAuthority} from './certificate-authority.js'

/** Answers the requests for one host, with or without TLS. */
export type Site = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** One answered request. */
export interface UpstreamRequest {
  readonly method: string
  /** Everything that the client asked for, `https://host/path?query`. */
  readonly url: string
  readonly status: number
}

/** The hosts of the world outside, as far as there are any. */
export interface Upstreams {
  /** Port, on 127.0.0.1, of the forward proxy that they are behind. */
  readonly port: number
  /** Every request answered so far, in order of arrival. */
  requests(): readonly UpstreamRequest[]
  stop(): Promise<void>
}

/**
 * Starts stand-ins for hosts outside, by their real names. No name server knows them: they are behind a proxy that takes
 * everything that it is asked for to them, with certificates of `authority` where a client begins TLS, and answers 502 for
 * every other host, as a proxy does that cannot find a name.
 */
export async function startUpstreams(options: {
  /** By host; `*` is every other one, without TLS. */
  readonly sites: Readonly<Record<string, Site>>
  readonly authority: CertificateAuthority
  readonly log: (line: string) => void
}): Promise<Upstreams> {
  const {sites, authority, log} = options
  const {certificate, key} = await authority.issue(Object.keys(sites).filter(host => host !== '*'))
  const answers: {method: string; url: string; response: ServerResponse}[] = []
  const sockets = new Set<Duplex>()
  const serve = async (url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const {method = 'GET'} = request
    answers.push({method, url: url.href, response})
    // As it would arrive without the proxy.
    request.url = url.pathname + url.search
    try {
      const site = sites[url.hostname] ?? (url.protocol === 'http:' ? sites['*'] : undefined)
      if (site === undefined) response.writeHead(502).end(`no such host: ${url.hostname}\n`)
      else await site(request, response)
    } catch (error) {
      log(`${method} ${url.href}: ${String(error)}`)
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    }
  }
  const tls = createTlsServer({cert: certificate, key}, (request, response) => {
    void serve(new URL(request.url ?? '/', `https://${request.headers.host ?? ''}`), request, response)
  })
  const gateway = createServer((request, response) => {
    void serve(new URL(request.url ?? '/', 'http://nowhere.invalid'), request, response)
  })
  gateway.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  gateway.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    const [host = '', port] = (request.url ?? '').split(':')
    if (sites[host] === undefined || port !== '443') socket.end('HTTP/1.1 502 No Such Host\r\n\r\n')
    else {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      tls.emit('connection', socket)
    }
  })
  await new Promise<void>(resolve => gateway.listen(0, '127.0.0.1', resolve))
  const {port} = gateway.address() as AddressInfo
  return {
    port,
    requests: () =>
      answers
        .filter(({response}) => response.headersSent)
        .map(({method, url, response}) => ({method, url, status: response.statusCode})),
    stop: async () => {
      const closed = new Promise(resolve => gateway.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}

/** A site that is a server at this origin. */
export function siteAt(origin: string): Site {
  return (request, response) => {
    passOn(request, response, origin + (request.url ?? '/'))
  }
}

/** Lets the server at `url` answer, without the proxy's headers. */
export function passOn(request: IncomingMessage, response: ServerResponse, url: string): void {
  const {method, headers} = request
  const inner = forward(url, {method, headers}, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  inner.once('error', () => response.destroy())
  response.once('close', () => inner.destroy())
  request.pipe(inner)
}
