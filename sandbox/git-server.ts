import {spawn} from 'node:child_process'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {pipeline} from 'node:stream/promises'
import {type Credentials, hasCredentials, type HttpServer, startHttpServer} from './http-server.js'

export interface GitServerOptions {
  readonly addresses: readonly string[]
  /** Directory of bare repositories `<owner>/<name>.git`. */
  readonly root: string
  readonly log: (line: string) => void
  /** Whether clients may leave objects out (`--filter=blob:none`); true if not given. */
  readonly filter?: boolean
  /** Whether clients may ask for any commit by its id, as GitHub lets them; true if not given. */
  readonly anyCommit?: boolean
  /** When given, every request must carry them; others are answered 401. */
  readonly credentials?: Credentials
}

/**
 * Serves bare repositories read-only over Git's smart HTTP protocol with git's own `git http-backend`
 * (https://git-scm.com/docs/git-http-backend). As on GitHub, the `.git` at the end of a repository's URL may be left out.
 */
export async function startGitServer(options: GitServerOptions): Promise<HttpServer> {
  const {addresses, log, credentials} = options
  return startHttpServer({
    addresses,
    log,
    handle: async (request, response) => {
      if (credentials !== undefined && !hasCredentials(request, credentials)) {
        response.writeHead(401, {'www-authenticate': 'Basic realm="git"'}).end()
        return
      }
      await runBackend(request, response, options)
    }
  })
}

async function runBackend(
  request: IncomingMessage,
  response: ServerResponse,
  options: GitServerOptions
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const repository = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/.+)$/.exec(decodeURIComponent(url.pathname))
  if (repository === null) {
    response.writeHead(404).end()
    return
  }
  const [, owner = '', name = '', rest = ''] = repository
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...configuration(options),
      PATH_INFO: `/${owner}/${name}.git${rest}`,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_ADDR: request.socket.remoteAddress,
      CONTENT_TYPE: request.headers['content-type'],
      CONTENT_LENGTH: request.headers['content-length'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      // Protocol 2 never checks which commits a client asks for, so a server that does speaks the older ones.
      GIT_PROTOCOL: (options.anyCommit ?? true) ? header(request, 'git-protocol') : undefined
    },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  child.stderr.on('data', (text: Buffer) => {
    options.log(`git http-backend: ${text.toString().trimEnd()}`)
  })
  response.on('close', () => child.kill())
  // The backend may answer without reading the whole question; that is not an error.
  const asked = pipeline(request, child.stdin).catch(() => undefined)
  await answer(child.stdout, response)
  await asked
}

/** Sends a CGI answer (RFC 3875, section 6) on: header lines, an empty line, the body. */
async function answer(output: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  let head = Buffer.alloc(0)
  for await (const chunk of output) {
    if (response.headersSent) {
      if (!response.write(chunk)) await drained(response)
      continue
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) continue
    let status = 200
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? []
      if (name.toLowerCase() === 'status') status = Number.parseInt(value)
      else response.appendHeader(name, value)
    }
    response.writeHead(status).write(head.subarray(end + 4))
  }
  if (!response.headersSent) throw new Error('git http-backend gave no answer')
  response.end()
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

function configuration({filter = true, anyCommit = true}: GitServerOptions): Record<string, string> {
  const settings = [
    ['safe.directory', '*'],
    ['http.receivepack', 'false'],
    ['uploadpack.allowFilter', String(filter)],
    ['uploadpack.allowAnySHA1InWant', String(anyCommit)]
  ] as const
  const entries = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value]
  ])
  return {GIT_CONFIG_COUNT: String(settings.length), ...(Object.fromEntries(entries) as Record<string, string>)}
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
