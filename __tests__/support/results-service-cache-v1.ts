import type {IncomingMessage} from 'node:http'
import {type Blobs, text} from './results-service-blobs.js'
import type {Answer} from './results-service-twirp.js'

const root = '/_apis/artifactcache/'

interface Entry {
  readonly id: number
  readonly key: string
  readonly version: string
  readonly blob: string
  complete: boolean
}

/** What a request to version 1 is called in counters and faults, or undefined when it is for something else. */
export function firstCacheRequestName(method: string, url: URL): string | undefined {
  if (!url.pathname.startsWith(root)) return undefined
  return `${method} ${url.pathname.slice(root.length).split('/')[0] ?? ''}`
}

/** Version 1 of the cache service, which GitHub Enterprise Server has (@actions/cache, src/internal/cacheHttpClient.ts). */
export function firstCacheService(blobs: Blobs): (request: IncomingMessage, url: URL) => Promise<Answer> {
  const entries: Entry[] = []

  function find(keys: readonly string[], version: string): Answer {
    const candidates = entries.filter(entry => entry.version === version && entry.complete).toReversed()
    const [entry] = keys.flatMap(key => [
      ...candidates.filter(candidate => candidate.key === key),
      ...candidates.filter(candidate => candidate.key.startsWith(key))
    ])
    if (entry === undefined) return {status: 204, body: {}}
    return {status: 200, body: {cacheKey: entry.key, scope: 'refs/heads/main', archiveLocation: blobs.url(entry.blob)}}
  }

  function reserve({key, version}: {readonly key: string; readonly version: string}): Answer {
    if (entries.some(entry => entry.key === key && entry.version === version)) {
      return {status: 409, body: {message: 'Cache already exists.'}}
    }
    entries.push({id: entries.length + 1, key, version, blob: blobs.create(), complete: false})
    return {status: 201, body: {cacheId: entries.length}}
  }

  return async (request, url) => {
    const [resource, id] = url.pathname.slice(root.length).split('/')
    if (resource === 'cache') {
      return find((url.searchParams.get('keys') ?? '').split(','), url.searchParams.get('version') ?? '')
    }
    if (id === undefined) return reserve(JSON.parse(await text(request)) as {key: string; version: string})
    const entry = entries.find(candidate => String(candidate.id) === id)
    if (entry === undefined) return {status: 404, body: {message: 'no such reservation'}}
    if (request.method === 'PATCH') {
      const offset = Number(/^bytes (\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? 0)
      await blobs.writeAt(entry.blob, offset, request)
    } else {
      const {size} = JSON.parse(await text(request)) as {size: number}
      if (size !== (await blobs.size(entry.blob))) return {status: 400, body: {message: 'the upload has another size'}}
      entry.complete = true
    }
    return {status: 204, body: {}}
  }
}
