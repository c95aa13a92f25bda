import {createHash} from 'node:crypto'
import {join} from 'node:path'
import type {Files} from '../ports.js'

/** What a descriptor says of a blob (github.com/opencontainers/image-spec, descriptor.md). */
export interface Descriptor {
  readonly digest: string
  readonly size: number
  readonly mediaType?: unknown
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** What leads from the keys of steps to their layers (moby/buildkit cache/remotecache/v1/types). */
export const cacheConfiguration = 'application/vnd.buildkit.cacheconfig.v0'

/**
 * What is wrong with a directory in BuildKit's local cache format, an OCI image layout; undefined when every blob that it
 * needs is there whole. BuildKit itself finds out only when a step needs the blob, and then the build fails.
 */
export async function layoutProblem(directory: string, files: Files): Promise<string | undefined> {
  try {
    const manifests = await manifestsOf(directory, files)
    if (manifests.length === 0) return 'it has no index.json with a manifest'
    for (const manifest of manifests) {
      const problem = await blobProblem(directory, manifest, files)
      if (problem !== undefined) return problem
      const blobs = await blobsOf(directory, manifest, files)
      if (!blobs.some(({mediaType}) => mediaType === cacheConfiguration)) return 'it is no cache of layers'
      for (const blob of blobs) {
        const found = await blobProblem(directory, blob, files)
        if (found !== undefined) return found
      }
    }
    return undefined
  } catch (error) {
    return `it cannot be read: ${String(error)}`
  }
}

/** The manifests of a layout. */
export async function manifestsOf(directory: string, files: Files): Promise<readonly Descriptor[]> {
  return descriptors(parse(await files.readText(join(directory, 'index.json'))), 'manifests')
}

/** The blobs that a manifest names, the cache configuration among them. */
export async function blobsOf(directory: string, manifest: Descriptor, files: Files): Promise<readonly Descriptor[]> {
  const content = parse(await files.readText(blobPath(directory, manifest)))
  // An index in place of a manifest where `image-manifest=false`, or an old BuildKit, has made it.
  return ['layers', 'manifests', 'config'].flatMap(name => descriptors(content, name))
}

async function blobProblem(directory: string, blob: Descriptor, files: Files): Promise<string | undefined> {
  const path = blobPath(directory, blob)
  if ((await files.kind(path)) !== 'file') return `it lacks the blob ${blob.digest}`
  if ((await files.status(path)).size !== blob.size) return `its blob ${blob.digest} has another size`
  const hash = createHash('sha256')
  for await (const chunk of files.readBytes(path)) hash.update(chunk)
  return `sha256:${hash.digest('hex')}` === blob.digest ? undefined : `its blob ${blob.digest} has another content`
}

/** Where a layout has a blob. */
export function blobPath(directory: string, {digest}: Pick<Descriptor, 'digest'>): string {
  return join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length))
}

/** Writes a blob; returns what a descriptor says of it. */
export async function writeBlob(
  directory: string,
  text: string,
  files: Files
): Promise<{digest: string; size: number}> {
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
  await files.write(blobPath(directory, {digest}), text)
  return {digest, size: Buffer.byteLength(text)}
}

function parse(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text)
}

function descriptors(value: unknown, name: string): Descriptor[] {
  if (typeof value !== 'object' || value === null || !(name in value)) return []
  const found: unknown = value[name as keyof typeof value]
  return (Array.isArray(found) ? (found as unknown[]) : [found]).map(one => {
    if (isDescriptor(one)) return one
    throw new Error(`${name} has no digest and size`)
  })
}

function isDescriptor(value: unknown): value is Descriptor {
  return (
    typeof value === 'object' &&
    value !== null &&
    'digest' in value &&
    'size' in value &&
    typeof value.digest === 'string' &&
    typeof value.size === 'number' &&
    /^sha256:[0-9a-f]{64}$/.test(value.digest)
  )
}
