import {createHash} from 'node:crypto'
import {describe, expect, it} from '@jest/globals'
import {imagesOfLayers} from '../../../src/cache/layers-image.js'
import {memoryFiles} from '../../support/memory.js'

const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** A cache whose layers are texts, each on the one at the index given. */
function cache(
  layers: readonly (readonly [string, number])[],
  unknown: readonly string[] = []
): Record<string, string> {
  const configuration = JSON.stringify({
    layers: layers.map(([text, parent]) => ({blob: digest(text), ...(parent === 0 ? {} : {parent})}))
  })
  const descriptor = (text: string, mediaType: string) => ({mediaType, digest: digest(text), size: text.length})
  const manifest = JSON.stringify({
    config: descriptor(configuration, 'application/vnd.buildkit.cacheconfig.v0'),
    layers: layers.map(([text]) => ({
      ...descriptor(text, 'application/vnd.oci.image.layer.v1.tar+zstd'),
      ...(unknown.includes(text) ? {} : {annotations: {'containerd.io/uncompressed': `sha256:of ${text}`}})
    }))
  })
  const blobs = [configuration, manifest, ...layers.map(([text]) => text)]
  return {
    '/layers/index.json': JSON.stringify({manifests: [descriptor(manifest, '')]}),
    ...Object.fromEntries(blobs.map(text => [`/layers/blobs/sha256/${digest(text).slice(7)}`, text]))
  }
}

async function image(files: Record<string, string>, platform = 'linux/amd64') {
  const memory = memoryFiles(files)
  const made = await imagesOfLayers('/layers', '/image', platform, memory)
  const {base, top} = made
  const blob = (name: string) =>
    JSON.parse(memory.texts.get(`/image/blobs/sha256/${name.slice(7)}`) ?? '') as Record<string, unknown>
  const manifest = (name: string) => blob(name) as {config: {digest: string}; layers: {digest: string}[]}
  const layers = (name: string) => manifest(name).layers.map(layer => layer.digest)
  return {
    layers: layers(top),
    base: layers(base),
    config: blob(manifest(top).config.digest),
    index: JSON.parse(memory.texts.get('/image/index.json') ?? '') as unknown,
    links: [...memory.links.values()],
    digests: [base, top]
  }
}

describe('imagesOfLayers', () => {
  it('is the chain of most bytes, from the bottom', async () => {
    const made = await image(
      cache([
        ['a compiler', -1],
        ['another base', -1],
        ['packages', 0],
        ['a tool', 2],
        ['other packages', 2],
        ['a tool that was copied', -1]
      ])
    )
    expect(made.layers).toEqual(['a compiler', 'packages', 'other packages'].map(digest))
    expect(made.config).toEqual({
      os: 'linux',
      architecture: 'amd64',
      rootfs: {type: 'layers', diff_ids: ['sha256:of a compiler', 'sha256:of packages', 'sha256:of other packages']}
    })
    expect(made.base).toEqual([digest('a compiler')])
    expect(made.index).toMatchObject({manifests: made.digests.map(each => ({digest: each}))})
    expect(made.links).toContain(`/layers/blobs/sha256/${digest('a compiler').slice(7)}`)
  })

  it('takes a layer that lies on several others once', async () => {
    const made = await image(
      cache([
        ['a compiler', -1],
        ['a copy', -1],
        ['a copy', 0]
      ])
    )
    expect(made.layers).toEqual(['a compiler', 'a copy'].map(digest))
    expect(made.links).toHaveLength(2)
  })

  it('says the whole platform', async () => {
    const {config} = await image(cache([['base', -1]]), 'linux/arm/v7')
    expect(config).toMatchObject({os: 'linux', architecture: 'arm', variant: 'v7'})
  })

  it('passes over a chain of which something is not known', async () => {
    const chains = [
      ['a large one', -1],
      ['small', -1]
    ] as const
    expect((await image(cache(chains, ['a large one']))).layers).toEqual([digest('small')])
    await expect(image(cache(chains, ['a large one', 'small']))).rejects.toThrow('no chain of layers')
  })

  it('refuses what is no cache of layers', async () => {
    await expect(image({'/layers/index.json': '{"manifests": []}'})).rejects.toThrow('no chain of layers')
    await expect(image({'/layers/index.json': '{"manifests": [1]}'})).rejects.toThrow('no digest')
  })
})
