import {randomUUID} from 'node:crypto'
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {debianMirror} from './debian.js'
import {type HttpServer, startHttpServer} from './http-server.js'

export interface AptMirrorOptions {
  readonly addresses: readonly string[]
  /** Fetched files are kept below it from run to run. */
  readonly cacheDirectory: string
  readonly log: (line: string) => void
  /** Base URLs of the archives behind /debian and /debian-security; this machine's own if not given. */
  readonly upstream?: {readonly debian: string; readonly debianSecurity: string}
}

/**
 * Serves /debian and /debian-security out of a cache on disk that fills itself from `upstream`. Packages and indexes
 * named by their hash never change and are fetched once. Everything else is fetched again every time, and taken from the
 * cache only when upstream cannot be reached.
 */
export async function startAptMirror(options: AptMirrorOptions): Promise<HttpServer> {
  const {addresses, cacheDirectory, log, upstream = await debianMirror()} = options
  const directory = join(cacheDirectory, 'apt-mirror')
  await mkdir(directory, {recursive: true})
  const underWay = new Map<string, Promise<Answer>>()
  const provide = async (path: string, url: string): Promise<Answer> => {
    const running = underWay.get(path) ?? answer(join(directory, encodeURIComponent(path)), path, url)
    underWay.set(path, running)
    try {
      return await running
    } finally {
      underWay.delete(path)
    }
  }
  return startHttpServer({
    addresses,
    log,
    handle: async (request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
      const url = upstreamUrl(path, upstream)
      const {status, body} = url === undefined ? nothing : await provide(path, url)
      response.writeHead(status, {'content-length': body.length}).end(request.method === 'HEAD' ? undefined : body)
    }
  })
}

interface Answer {
  readonly status: number
  readonly body: Uint8Array
}

const nothing: Answer = {status: 404, body: new Uint8Array()}

function upstreamUrl(
  path: string,
  {debian, debianSecurity}: {readonly debian: string; readonly debianSecurity: string}
): string | undefined {
  const [, archive, rest = ''] = /^\/(debian|debian-security)(\/.*)$/.exec(path) ?? []
  if (archive === undefined) return undefined
  const base = archive === 'debian' ? debian : debianSecurity
  return base.replace(/\/+$/, '') + rest.split('/').map(encodeURIComponent).join('/')
}

async function answer(file: string, path: string, url: string): Promise<Answer> {
  const cached = await readFile(file).catch(() => undefined)
  if (cached !== undefined && /\/(pool|by-hash)\//.test(path)) return {status: 200, body: cached}
  const fetched = await fetchFrom(url)
  if (fetched.status >= 500 && cached !== undefined) return {status: 200, body: cached}
  if (fetched.status === 200) {
    const unfinished = `${file}.${randomUUID()}`
    await writeFile(unfinished, fetched.body)
    await rename(unfinished, file)
  }
  return fetched
}

/** Never rejects: an upstream that cannot be reached is a 502. */
async function fetchFrom(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, {headers: {'accept-encoding': 'identity'}})
    return {status: response.status, body: new Uint8Array(await response.arrayBuffer())}
  } catch (error) {
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error
    return {status: 502, body: Buffer.from(`upstream cannot be reached: ${String(reason)}\n`)}
  }
}
