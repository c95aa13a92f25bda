import {join} from 'node:path'
import type {Files} from '../ports.js'
import {blobPath, blobsOf, cacheConfiguration, manifestsOf, writeBlob, type Descriptor} from './layout.js'
import {linkLayers, type CacheConfiguration} from './thin-layout.js'

/** The digest of what a layer is when it is not compressed (moby/buildkit util/compression, labels of containerd). */
const uncompressed = 'containerd.io/uncompressed'

/** Images in an OCI image layout of this machine, by the digests of their manifests. */
export interface LayerImages {
  readonly directory: string
  /** The lowest layer alone: in the images of Go a distribution, with a shell and tar. */
  readonly base: string
  /** The chain of most bytes, which begins with `base`. */
  readonly top: string
}

/**
 * Makes images of layers in BuildKit's local cache format: a layout in `to` that links to the layers in `from`. `top` is the
 * chain of most bytes, as a rule that of the stage which compiles: a toolchain, and the packages that it needs.
 *
 * @throws Error when there is no chain of layers in `from`.
 */
export async function imagesOfLayers(from: string, to: string, platform: string, files: Files): Promise<LayerImages> {
  let layers: readonly Descriptor[] = []
  for (const manifest of await manifestsOf(from, files)) {
    const blobs = await blobsOf(from, manifest, files)
    const configuration = blobs.find(({mediaType}) => mediaType === cacheConfiguration)
    const text = configuration && (await files.readText(blobPath(from, configuration)))
    if (text !== undefined && layers.length === 0) layers = largestChain(JSON.parse(text) as CacheConfiguration, blobs)
  }
  if (layers.length === 0) throw new Error('there is no chain of layers')
  await linkLayers(from, to, files)
  const write = async (mediaType: string, content: object) => ({
    mediaType,
    ...(await writeBlob(to, JSON.stringify(content), files))
  })
  const [os, architecture, variant] = platform.split('/')
  const image = async (chain: readonly Descriptor[]) => {
    const config = await write('application/vnd.oci.image.config.v1+json', {
      ...{os, architecture, ...(variant === undefined ? {} : {variant})},
      rootfs: {type: 'layers', diff_ids: chain.map(({annotations}) => annotations?.[uncompressed])}
    })
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    return await write(mediaType, {schemaVersion: 2, mediaType, config, layers: chain})
  }
  const base = await image(layers.slice(0, 1))
  const top = await image(layers)
  await files.write(join(to, 'oci-layout'), '{"imageLayoutVersion": "1.0.0"}')
  await files.write(join(to, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [base, top]}))
  return {directory: to, base: base.digest, top: top.digest}
}

/** The layers of the chain of most bytes, the lowest first; none when of every chain something is unknown. */
function largestChain({layers = []}: CacheConfiguration, blobs: readonly Descriptor[]): readonly Descriptor[] {
  const upTo = (index: number): number[] => (index in layers ? [...upTo(layers[index]?.parent ?? 0), index] : [])
  const chains = [...layers.keys()].map(index => {
    const chain = upTo(index).map(each => blobs.find(({digest}) => digest === layers[each]?.blob))
    const known = chain.filter(layer => layer?.annotations?.[uncompressed] !== undefined) as Descriptor[]
    const bytes = known.reduce((sum, {size}) => sum + size, 0)
    return {layers: known, bytes: known.length === chain.length ? bytes : 0}
  })
  return chains.toSorted((one, other) => other.bytes - one.bytes).find(({bytes}) => bytes > 0)?.layers ?? []
}
