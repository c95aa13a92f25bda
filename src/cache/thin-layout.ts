import {join} from 'node:path'
import type {Files} from '../ports.js'
import {blobPath, blobsOf, cacheConfiguration, manifestsOf, writeBlob, type Descriptor} from './layout.js'

/** What leads to layers from the keys of steps (moby/buildkit cache/remotecache/v1/spec.go@v0.32.2). */
export interface CacheConfiguration {
  readonly layers?: readonly {
    readonly blob: string
    /** Index of the layer below; -1 for none, and absent for 0. */
    readonly parent?: number
  }[]
  readonly records?: readonly {
    readonly layers?: readonly {readonly layer: number}[]
    readonly chains?: readonly {readonly layers: readonly number[]}[]
  }[]
}

/**
 * Puts links to the layers of one directory in BuildKit's local format into another one that BuildKit is to export to, which
 * then transfers and writes only the others (containerd plugins/content/local/store.go: a writer for what exists is refused).
 *
 * @throws Error when `from` holds something else.
 */
export async function linkLayers(from: string, to: string, files: Files): Promise<void> {
  // One that lies on several others is named several times.
  const digests = new Set<string>()
  for (const manifest of await manifestsOf(from, files)) {
    for (const {mediaType, digest} of await blobsOf(from, manifest, files)) {
      if (mediaType !== cacheConfiguration) digests.add(digest)
    }
  }
  await files.makeDirectory(join(to, 'blobs', 'sha256'))
  for (const digest of digests) await files.link(blobPath(from, {digest}), blobPath(to, {digest}))
}

/** Replaces the links that the layout needs by what they lead to, and removes all others. */
export async function replaceLinks(directory: string, files: Files): Promise<void> {
  const needed = new Set<string>()
  for (const manifest of await manifestsOf(directory, files)) {
    for (const blob of await blobsOf(directory, manifest, files)) needed.add(blobPath(directory, blob))
  }
  const blobs = join(directory, 'blobs', 'sha256')
  for (const name of await files.list(blobs)) {
    const path = join(blobs, name)
    if ((await files.kind(path)) !== 'link') continue
    const target = needed.has(path) ? await files.resolveLinks(path) : undefined
    await files.remove(path)
    if (target !== undefined) await files.copyFile(target, path)
  }
}

/**
 * Takes out of a cache in BuildKit's local format every layer that another one has, unless one of its own rests on it. With
 * `mode=min` BuildKit exports what it has imported, too (solver/exporter.go, CacheExportModeRemoteOnly): without this, the
 * few layers that a build has made itself would drag along all those that it began with.
 *
 * @throws Error when one of the directories holds something else.
 */
export async function removeSharedLayers(directory: string, other: string, files: Files): Promise<void> {
  const shared = new Set<string>()
  for (const manifest of await manifestsOf(other, files)) {
    for (const {digest} of await blobsOf(other, manifest, files)) shared.add(digest)
  }
  let index = (await files.readText(join(directory, 'index.json'))) ?? ''
  for (const manifest of await manifestsOf(directory, files)) {
    const blobs = await blobsOf(directory, manifest, files)
    const configuration = blobs.find(({mediaType}) => mediaType === cacheConfiguration)
    const text = configuration && (await files.readText(blobPath(directory, configuration)))
    if (configuration === undefined || text === undefined) throw new Error('it is no cache of layers')
    const thin = withoutLayers(JSON.parse(text) as CacheConfiguration, shared)
    const kept = new Set(thin.layers?.map(({blob}) => blob))
    const dropped = blobs.filter(blob => blob !== configuration && !kept.has(blob.digest))
    if (dropped.length === 0) continue
    const written = await writeBlob(directory, JSON.stringify(thin), files)
    const content = JSON.parse((await files.readText(blobPath(directory, manifest))) ?? '', (_, value: unknown) =>
      refersTo(value, [configuration]) ? {...value, ...written} : withoutDescriptors(value, dropped)
    ) as unknown
    const {digest, size} = await writeBlob(directory, JSON.stringify(content), files)
    index = JSON.stringify(
      JSON.parse(index, (_, value: unknown) => (refersTo(value, [manifest]) ? {...value, digest, size} : value))
    )
    await files.write(join(directory, 'index.json'), index)
    for (const blob of [...dropped, configuration, manifest]) await files.remove(blobPath(directory, blob))
  }
}

/** The same without those of some layers on which no other rests, and without the results that are made of them. */
export function withoutLayers(
  {layers = [], records = [], ...rest}: CacheConfiguration,
  blobs: ReadonlySet<string>
): CacheConfiguration {
  const needed = new Set<number>()
  const need = (index: number): void => {
    const layer = layers[index]
    if (layer === undefined || needed.has(index)) return
    needed.add(index)
    need(layer.parent ?? 0)
  }
  for (const [index, {blob}] of layers.entries()) if (!blobs.has(blob)) need(index)
  const isKept = (index: number) => needed.has(index)
  const kept = [...layers.keys()].filter(isKept)
  return {
    ...rest,
    layers: kept.flatMap(index => {
      const layer = layers[index]
      const {parent = 0} = layer ?? {}
      return layer === undefined ? [] : [{...layer, parent: parent < 0 ? -1 : kept.indexOf(parent)}]
    }),
    records: records.map(({layers: results = [], chains = [], ...record}) => ({
      ...record,
      layers: results.flatMap(one => (isKept(one.layer) ? [{...one, layer: kept.indexOf(one.layer)}] : [])),
      chains: chains.flatMap(one =>
        one.layers.every(isKept) ? [{...one, layers: one.layers.map(index => kept.indexOf(index))}] : []
      )
    }))
  }
}

function refersTo(value: unknown, descriptors: readonly Descriptor[]): value is object {
  if (typeof value !== 'object' || value === null || !('digest' in value)) return false
  return descriptors.some(({digest}) => digest === value.digest)
}

function withoutDescriptors(value: unknown, descriptors: readonly Descriptor[]): unknown {
  return Array.isArray(value) ? value.filter(one => !refersTo(one, descriptors)) : value
}
