import {createHash, randomUUID} from 'node:crypto'
import {createReadStream, createWriteStream} from 'node:fs'
import {mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {setTimeout as delay} from 'node:timers/promises'

/** The part of Azure's blob storage that the Actions toolkit and BuildKit use: put, put block, put block list, get. */
export interface Blobs {
  /** A new, empty blob; its URL lets whoever has it read and write. */
  create(): string
  url(id: string): string
  /** Undefined until something was uploaded. */
  size(id: string): Promise<number | undefined>
  sha256(id: string): Promise<string>
  /** The `Content-Type` and `Content-Disposition` of downloads. */
  describe(id: string, contentType: string, disposition: string): void
  remove(id: string): Promise<void>
  /** Writes the body of a request into the blob, from `offset` on. */
  writeAt(id: string, offset: number, body: IncomingMessage): Promise<void>
  /** Answers one request; `damage` is done to a download. */
  serve(request: IncomingMessage, response: ServerResponse, url: URL, damage?: DownloadDamage): Promise<void>
}

/** A download that ends, without any error, after half of its bytes, or one that comes byte by byte, ten a second. */
export type DownloadDamage = 'truncate' | 'trickle'

interface Blob {
  readonly signature: string
  contentType: string
  disposition: string
}

// An Azure client expects account and container before the name (@azure/storage-blob, extractNames).
const container = '/devstoreaccount1/results/'

/** What a request to the store is called in counters and faults, or undefined when it is for something else. */
export function blobRequestName(method: string, url: URL): string | undefined {
  if (!url.pathname.startsWith(container)) return undefined
  return `${method} ${method === 'PUT' ? (url.searchParams.get('comp') ?? 'blob') : 'blob'}`
}

/** Blobs as files in `directory`; `origin` is the server's own. */
export function blobStore(directory: string, origin: () => string): Blobs {
  const blobs = new Map<string, Blob>()
  const content = (id: string) => join(directory, id, 'content')
  const block = (id: string, blockId: string) => join(directory, id, createHash('sha256').update(blockId).digest('hex'))

  async function put(request: IncomingMessage, url: URL, id: string): Promise<number> {
    await mkdir(join(directory, id), {recursive: true})
    const operation = url.searchParams.get('comp')
    if (operation === 'block') {
      await pipeline(request, createWriteStream(block(id, url.searchParams.get('blockid') ?? '')))
    } else if (operation === 'blocklist') {
      const list = await text(request)
      await writeFile(content(id), '')
      for (const [, blockId = ''] of list.matchAll(/<(?:Latest|Uncommitted)>([^<]+)</g)) {
        await pipeline(createReadStream(block(id, blockId)), createWriteStream(content(id), {flags: 'a'}))
      }
    } else {
      if (request.headers['x-ms-blob-type'] !== 'BlockBlob') return 400
      await pipeline(request, createWriteStream(content(id)))
    }
    return 201
  }

  async function get(
    request: IncomingMessage,
    response: ServerResponse,
    blob: Blob,
    id: string,
    damage: DownloadDamage | undefined
  ): Promise<void> {
    const size = await sizeOf(content(id))
    if (size === undefined) {
      response.writeHead(404).end()
      return
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? request.headers.range ?? ''))
    const start = Number(range?.[1] ?? 0)
    const wanted = Math.min(size, range?.[2] ? Number(range[2]) + 1 : size)
    const end = damage === 'truncate' ? start + Math.floor((wanted - start) / 2) : wanted
    response.writeHead(range === null ? 200 : 206, {
      'accept-ranges': 'bytes',
      'content-length': end - start,
      'content-type': blob.contentType,
      ...(blob.disposition === '' ? {} : {'content-disposition': blob.disposition}),
      ...(range === null ? {} : {'content-range': `bytes ${start}-${end - 1}/${size}`})
    })
    if (request.method === 'HEAD' || end === start) response.end()
    else if (damage === 'trickle') await trickle(await readFile(content(id)), response)
    else await pipeline(createReadStream(content(id), {start, end: end - 1}), response)
  }

  return {
    create() {
      const id = randomUUID()
      blobs.set(id, {signature: randomUUID(), contentType: 'application/octet-stream', disposition: ''})
      return id
    },

    url(id) {
      return `${origin()}${container}${id}?sv=2025-01-01&sig=${blobs.get(id)?.signature ?? ''}`
    },

    async size(id) {
      return await sizeOf(content(id))
    },

    async sha256(id) {
      return createHash('sha256')
        .update(await readFile(content(id)))
        .digest('hex')
    },

    describe(id, contentType, disposition) {
      const blob = blobs.get(id)
      if (blob !== undefined) Object.assign(blob, {contentType, disposition})
    },

    async remove(id) {
      blobs.delete(id)
      await rm(join(directory, id), {recursive: true, force: true})
    },

    async writeAt(id, offset, body) {
      await mkdir(join(directory, id), {recursive: true})
      await writeFile(content(id), '', {flag: 'a'})
      await pipeline(body, createWriteStream(content(id), {flags: 'r+', start: offset}))
    },

    async serve(request, response, url, damage) {
      const id = url.pathname.slice(container.length)
      const blob = blobs.get(id)
      // BuildKit's client takes this header for granted.
      response.setHeader('x-ms-request-id', randomUUID())
      response.setHeader('etag', `"${id}"`)
      response.setHeader('last-modified', new Date().toUTCString())
      if (blob?.signature !== url.searchParams.get('sig')) {
        response.writeHead(403).end()
      } else if (request.method === 'PUT') {
        response.writeHead(await put(request, url, id)).end()
      } else {
        await get(request, response, blob, id, damage)
      }
    }
  }
}

async function trickle(bytes: Buffer, response: ServerResponse): Promise<void> {
  for (const byte of bytes) {
    if (response.destroyed) return
    response.write(Buffer.of(byte))
    await delay(100)
  }
  response.end()
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    status => status.size,
    () => undefined
  )
}

/** The whole body of a request as text. */
export async function text(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return body
}
