import {join} from 'node:path'
import type {Files} from '../ports.js'
import {blobPath, blobsOf, cacheConfiguration, manifestsOf, writeBlob, type Descriptor} from './layout.js'
import {linkLayers, type CacheConfiguration} from './thin-layout.js'

/** The digest of what a layer is when it is not compressed (moby/buildkit util/compression, labels of containerd). */
const uncompressed = 'containerd.io/uncompressed'

/**
 * Makes an image of layers in BuildKit's local cache format: a layout in `to` that links to the layers in `from`. Of the
 * chains of layers it is the largest: that of a compiling step, with a toolchain and what was installed besides. Returns
 * the digest of its manifest.
 *
 * @throws Error when there is no chain of layers in `from`.
 */
export async function imageOfLayers(from: string, to: string, platform: string, files: Files): Promise<string> {
  const chains = []
  for (const manifest of await manifestsOf(from, files)) {
    const blobs = await blobsOf(from, manifest, files)
    const configuration = blobs.find(({mediaType}) => mediaType === cacheConfiguration)
    const text = configuration && (await files.readText(blobPath(from, configuration)))
    if (text !== undefined) chains.push(largestChain(JSON.parse(text) as CacheConfiguration, blobs))
  }
  const layers = chains.toSorted((one, other) => sizeOf(other) - sizeOf(one))[0] ?? []
  if (layers.length === 0) throw new Error('there is no chain of layers')
  await linkLayers(from, to, files)
  const [os, architecture, variant] = platform.split('/')
  const config = {
    ...{os, architecture, ...(variant === undefined ? {} : {variant})},
    config: {Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']},
    rootfs: {type: 'layers', diff_ids: layers.map(({annotations}) => annotations?.[uncompressed])}
  }
  const write = async (mediaType: string, content: object) => ({
    mediaType,
    ...(await writeBlob(to, JSON.stringify(content), files))
  })
  const manifest = await write('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: await write('application/vnd.oci.image.config.v1+json', config),
    layers
  })
  await files.write(join(to, 'oci-layout'), '{"imageLayoutVersion": "1.0.0"}')
  await files.write(join(to, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [manifest]}))
  return manifest.digest
}

/** The layers of the largest chain, the lowest first; none when nothing is known of one of them. */
function largestChain({layers = []}: CacheConfiguration, blobs: readonly Descriptor[]): readonly Descriptor[] {
  const chainOf = (index: number): (Descriptor | undefined)[] => {
    const layer = layers[index]
    if (layer === undefined) return []
    return [...chainOf(layer.parent ?? 0), blobs.find(({digest}) => digest === layer.blob)]
  }
  const chains = [...layers.keys()].map(chainOf)
  const known = chains.map(
    chain => chain.filter(layer => layer?.annotations?.[uncompressed] !== undefined) as Descriptor[]
  )
  return (
    known
      .filter((chain, index) => chain.length === chains[index]?.length)
      .toSorted((one, other) => sizeOf(other) - sizeOf(one))[0] ?? []
  )
}

function sizeOf(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, {size}) => sum + size, 0)
}
