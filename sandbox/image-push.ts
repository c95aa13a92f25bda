import {Readable} from 'node:stream'
import type {Image} from './images.js'
import {digestOf} from './layers.js'

/**
 * Pushes images to a registry through its HTTP API
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push). `registryUrl` is like
 * `http://127.0.0.1:5000`. Throws, naming request and answer, when the registry refuses anything.
 */
export async function pushImages(registryUrl: string, images: readonly Image[]): Promise<void> {
  const sent = new Set<string>()
  for (const image of images) await pushImage(registryUrl, image, sent)
}

/** `sent` has the repositories and digests of the layers that are there already. */
async function pushImage(registryUrl: string, image: Image, sent: Set<string>): Promise<void> {
  const {repository, tags, layers, config} = image
  const api = `${registryUrl}/v2/${repository}`
  const imageConfig = JSON.stringify({
    created: '1970-01-01T00:00:00Z',
    architecture: architecture(),
    os: 'linux',
    config,
    rootfs: {type: 'layers', diff_ids: layers.map(({diffId}) => diffId)},
    history: layers.map(() => ({created: '1970-01-01T00:00:00Z', created_by: 'stand-in'}))
  })
  await pushBlob(api, digestOf(imageConfig), imageConfig)
  for (const {digest, content} of layers) {
    if (sent.has(`${repository}@${digest}`)) continue
    await pushBlob(api, digest, Readable.toWeb(Readable.from(content())))
    sent.add(`${repository}@${digest}`)
  }
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(imageConfig),
      size: Buffer.byteLength(imageConfig)
    },
    layers: layers.map(({mediaType, digest, size}) => ({mediaType, digest, size}))
  })
  for (const tag of tags) {
    await send(`${api}/manifests/${tag}`, 'PUT', manifest, 'application/vnd.oci.image.manifest.v1+json')
  }
}

type Body = NonNullable<RequestInit['body']>

async function pushBlob(api: string, digest: string, content: Body): Promise<void> {
  const session = await send(`${api}/blobs/uploads/`, 'POST')
  const upload = new URL(session.headers.get('location') ?? '', api)
  upload.searchParams.set('digest', digest)
  await send(upload.href, 'PUT', content, 'application/octet-stream')
}

async function send(url: string, method: string, body?: Body, contentType?: string): Promise<Response> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : {body, duplex: 'half'}),
    ...(contentType === undefined ? {} : {headers: {'content-type': contentType}})
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url} was answered ${response.status}: ${text}`)
  return response
}

/** Go's and OCI's name of this machine's architecture. */
function architecture(): string {
  const names: Readonly<Record<string, string>> = {x64: 'amd64', ia32: '386', ppc64: 'ppc64le'}
  return names[process.arch] ?? process.arch
}
