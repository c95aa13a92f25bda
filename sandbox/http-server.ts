import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'

/** One answered request. `path` is as the client sent it, query included. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly status: number
}

export interface HttpServer {
  /** The one port, the same on every address. */
  readonly port: number
  /** Every request answered so far, in order of arrival. */
  requests(): readonly Request[]
  stop(): Promise<void>
}

export interface HttpServerOptions {
  /** IP addresses of this machine to listen on. */
  readonly addresses: readonly string[]
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
  readonly log: (line: string) => void
}

/**
 * Starts an HTTP server on the first free port of all `addresses` and keeps its access log. A handler that fails answers 500,
 * or breaks the connection when the answer is already under way. Throws when an address does not exist.
 */
export async function startHttpServer({addresses, handle, log}: HttpServerOptions): Promise<HttpServer> {
  const answers: {method: string; path: string; response: ServerResponse}[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const {method = 'GET', url: path = '/'} = request
    answers.push({method, path, response})
    try {
      await handle(request, response)
    } catch (error) {
      log(`${method} ${path}: ${String(error)}`)
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    }
  }
  const {port, servers} = await listen(addresses, () =>
    createServer((request, response) => void serve(request, response))
  )
  return {
    port,
    requests: () =>
      answers
        .filter(({response}) => response.headersSent)
        .map(({method, path, response}) => ({method, path, status: response.statusCode})),
    stop: async () => {
      await Promise.all(servers.map(close))
    }
  }
}

/** A TCP port that is free on all `addresses` at the moment of asking, for programs that cannot listen on port 0. */
export async function freePort(addresses: readonly string[]): Promise<number> {
  const {port, servers} = await listen(addresses, () => createServer())
  await Promise.all(servers.map(close))
  return port
}

// Below the ports that the kernel gives out by itself; tests that run at the same time keep out of each other's way.
const firstPort = 20800 + 1000 * (Number(process.env.JEST_WORKER_ID ?? 1) - 1)
const portsTried = 1000

/** Takes the first port that is free on all addresses, so that servers started in the same order find the same ones. */
async function listen(
  addresses: readonly string[],
  makeServer: () => Server
): Promise<{port: number; servers: readonly Server[]}> {
  for (let port = firstPort; ; port++) {
    const servers: Server[] = []
    try {
      for (const address of addresses) {
        const server = makeServer()
        await listenOn(server, port, address)
        servers.push(server)
      }
      return {port, servers}
    } catch (error) {
      await Promise.all(servers.map(close))
      const taken = typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken || port === firstPort + portsTried) throw error
    }
  }
}

async function listenOn(server: Server, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
}

async function close(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}

/** Whether the request carries exactly these Basic credentials in `header`. */
export function hasCredentials(request: IncomingMessage, {username, password}: Credentials): boolean {
  return request.headers.authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export interface Credentials {
  readonly username: string
  readonly password: string
}
