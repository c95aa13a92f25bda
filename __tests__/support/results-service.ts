import {randomUUID} from 'node:crypto'
import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import {type IncomingMessage, type ServerResponse, createServer} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type PublishedEntry, artifactService} from './results-service-artifacts.js'
import {type DownloadDamage, blobRequestName, blobStore, text} from './results-service-blobs.js'
import {firstCacheRequestName, firstCacheService} from './results-service-cache-v1.js'
import {type CacheEntry, cacheService} from './results-service-cache.js'
import {type Identity, tokenIssuer} from './results-service-token.js'
import type {Answer, Fields} from './results-service-twirp.js'

/** What happens to a request instead of its answer: an HTTP error, a lost connection, no answer, or a bad download. */
export type Fault =
  | {readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>>}
  | 'reset'
  | 'stall'
  | DownloadDamage

/** GitHub's results service (cache v2, artifacts, their blobs) on loopback, for the real Actions toolkit. */
export interface ResultsService {
  readonly url: string
  /** Where it stores what is uploaded. */
  readonly directory: string
  /**
   * The variables that a runner sets for it. Unless told otherwise each call speaks for a new run on the branch `main`,
   * which may read and write that branch's caches.
   */
  environment(identity?: Partial<Identity>): Record<string, string>
  /** The variables of a runner of GitHub Enterprise Server, which has version 1 of the cache service only. */
  enterpriseEnvironment(): Record<string, string>
  /** Lets the next `times` requests of that name fail. Names are those of `requests`. */
  fail(name: string, fault: Fault, times?: number): void
  /** From now on nothing fails. */
  heal(): void
  /**
   * What was asked so far: Twirp methods (`CreateCacheEntry`, `FinalizeArtifact`), `PUT blob`, `PUT block`,
   * `PUT blocklist`, `GET blob`, `HEAD blob`; and of version 1 `GET cache`, `POST caches`, `PATCH caches`.
   */
  requests(): readonly string[]
  cacheEntries(): readonly CacheEntry[]
  artifacts(): readonly PublishedEntry[]
  /** Ends the server, with its connections, and removes what it stored. */
  close(): Promise<void>
}

/** Starts the service on a free port of an address of this machine. */
export async function startResultsService(host = '127.0.0.1'): Promise<ResultsService> {
  const directory = await mkdtemp(join(tmpdir(), 'results-service-'))
  const tokens = tokenIssuer()
  const blobs = blobStore(directory, () => origin)
  const cache = cacheService(blobs)
  const firstCache = firstCacheService(blobs)
  const artifacts = artifactService(blobs)
  const services = new Map([
    ['CacheService', cache.methods],
    ['ArtifactService', artifacts.methods]
  ])
  const requests: string[] = []
  const faults: {readonly name: string; readonly fault: Fault; times: number}[] = []

  function takeFault(name: string): Fault | undefined {
    const planned = faults.find(fault => fault.name === name && fault.times > 0)
    if (planned !== undefined) planned.times -= 1
    return planned?.fault
  }

  async function twirp(request: IncomingMessage, service: string, method: string): Promise<Answer> {
    const identity = tokens.identify(bearer(request))
    const body: unknown = JSON.parse(await text(request))
    if (identity === undefined) return {status: 401, body: {code: 'unauthenticated', msg: 'no valid token'}}
    const handler = services.get(service)?.[method]
    return (await handler?.(identity, body as Fields)) ?? {status: 404, body: {code: 'bad_route', msg: method}}
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin)
    const [, service = '', method = ''] =
      /^\/twirp\/github\.actions\.results\.api\.v1\.(\w+)\/(\w+)$/.exec(url.pathname) ?? []
    const blobRequest = blobRequestName(request.method ?? '', url)
    const firstCacheRequest = firstCacheRequestName(request.method ?? '', url)
    const name = blobRequest ?? firstCacheRequest ?? method
    requests.push(name)
    const fault = takeFault(name)
    if (fault === 'stall') return
    if (fault === 'reset') request.socket.resetAndDestroy()
    else if (typeof fault === 'object') {
      request.resume()
      const body = fault.body ?? JSON.stringify({code: 'internal', msg: 'injected fault'})
      respond(response, fault.status, body, fault.headers)
    } else if (blobRequest !== undefined) await blobs.serve(request, response, url, fault)
    else if (firstCacheRequest !== undefined) {
      const known = tokens.identify(bearer(request)) !== undefined
      const {status, body} = known ? await firstCache(request, url) : {status: 401, body: {message: 'no valid token'}}
      respond(response, status, status === 204 ? '' : JSON.stringify(body))
    } else {
      const {status, body} = await twirp(request, service, method)
      respond(response, status, JSON.stringify(body))
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else respond(response, 500, JSON.stringify({code: 'internal', msg: String(error)}))
    })
  })
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  const origin = `http://${host}:${typeof address === 'object' ? (address?.port ?? 0) : 0}`

  return {
    url: origin,
    directory,

    environment({run = randomUUID(), job = randomUUID(), scopes = [{ref: 'refs/heads/main', writable: true}]} = {}) {
      return {
        ACTIONS_RUNTIME_TOKEN: tokens.issue({run, job, scopes}),
        ACTIONS_RUNTIME_URL: `${origin}/`,
        ACTIONS_RESULTS_URL: `${origin}/`,
        ACTIONS_CACHE_SERVICE_V2: 'True'
      }
    },

    enterpriseEnvironment() {
      return {
        ACTIONS_RUNTIME_TOKEN: tokens.issue({run: randomUUID(), job: randomUUID(), scopes: []}),
        ACTIONS_CACHE_URL: `${origin}/`,
        GITHUB_SERVER_URL: 'https://github.example.com'
      }
    },

    fail(name, fault, times = 1) {
      faults.push({name, fault, times})
    },

    heal() {
      faults.length = 0
    },

    requests: () => [...requests],
    cacheEntries: cache.entries,
    artifacts: artifacts.artifacts,

    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await rm(directory, {recursive: true, force: true})
    }
  }
}

function bearer(request: IncomingMessage): string {
  return (request.headers.authorization ?? '').replace(/^Bearer /, '')
}

function respond(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {}
): void {
  response
    .writeHead(status, {'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers})
    .end(body)
}
