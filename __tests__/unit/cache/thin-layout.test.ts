import {createHash} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {systemFiles} from '../../../src/adapters/files.js'
import {layoutProblem} from '../../../src/cache/layout.js'
import {
  linkLayers,
  removeSharedLayers,
  replaceLinks,
  withoutLayers,
  type CacheConfiguration
} from '../../../src/cache/thin-layout.js'
import {memoryFiles} from '../../support/memory.js'

const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Layers are texts; each lies on the one at the index given. */
function configuration(layers: readonly (readonly [string, number])[]): CacheConfiguration {
  return {
    layers: layers.map(([text, parent]) => ({blob: digest(text), ...(parent === 0 ? {} : {parent})})),
    records: layers.map((_, layer) => ({digest: `key ${layer}`, layers: [{layer}], inputs: [[{link: 0}]]}))
  }
}

/** The files of a layout, with a manifest as BuildKit writes it by default. */
function layout(directory: string, layers: readonly (readonly [string, number])[]): Record<string, string> {
  const config = JSON.stringify(configuration(layers))
  const descriptor = (text: string, mediaType: string) => ({mediaType, digest: digest(text), size: text.length})
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: descriptor(config, 'application/vnd.buildkit.cacheconfig.v0'),
    layers: layers.map(([text]) => descriptor(text, 'application/vnd.oci.image.layer.v1.tar+zstd'))
  })
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [{...descriptor(manifest, 'application/vnd.oci.image.manifest.v1+json'), annotations: {name: 'latest'}}]
  })
  const blobs = [config, manifest, ...layers.map(([text]) => text)]
  return {
    [`${directory}/index.json`]: index,
    ...Object.fromEntries(blobs.map(text => [`${directory}/blobs/sha256/${digest(text).slice(7)}`, text]))
  }
}

describe('withoutLayers', () => {
  it('drops layers and their results, and counts the others anew', () => {
    const {layers, records} = withoutLayers(
      configuration([
        ['base', -1],
        ['tools', 0],
        ['own', -1],
        ['upon own', 2]
      ]),
      new Set([digest('base'), digest('tools')])
    )
    expect(layers).toEqual([
      {blob: digest('own'), parent: -1},
      {blob: digest('upon own'), parent: 0}
    ])
    expect(records?.map(record => record.layers)).toEqual([[], [], [{layer: 0}], [{layer: 1}]])
    expect(records?.[3]).toMatchObject({digest: 'key 3', inputs: [[{link: 0}]]})
  })

  it("keeps what a layer of one's own rests on, as in moby's `all`, whose lowest layers every commit shares", () => {
    const all = configuration([
      ['tools', -1],
      ['runc', -1],
      ['containerd', 1],
      ['dockerd', 2]
    ])
    const thin = withoutLayers(all, new Set(['tools', 'runc', 'containerd'].map(digest)))
    expect(thin.layers?.map(({blob}) => blob)).toEqual(['runc', 'containerd', 'dockerd'].map(digest))
    expect(thin.records?.map(record => record.layers)).toEqual([[], [{layer: 0}], [{layer: 1}], [{layer: 2}]])
  })

  it('keeps a chain of layers only when it is whole', () => {
    const chained: CacheConfiguration = {
      layers: [
        {blob: 'a', parent: -1},
        {blob: 'b', parent: -1},
        {blob: 'c', parent: -1}
      ],
      records: [{chains: [{layers: [0, 2]}, {layers: [1, 2]}]}]
    }
    expect(withoutLayers(chained, new Set(['a'])).records?.[0]?.chains).toEqual([{layers: [0, 1]}])
  })
})

describe('linkLayers', () => {
  const blob = (directory: string, text: string) => `${directory}/blobs/sha256/${digest(text).slice(7)}`

  it('links the layers and nothing else', async () => {
    const files = memoryFiles(
      layout('/layers', [
        ['base', -1],
        ['tools', 0]
      ])
    )
    await linkLayers('/layers', '/result', files)
    expect(Object.fromEntries(files.links)).toEqual({
      [blob('/result', 'base')]: blob('/layers', 'base'),
      [blob('/result', 'tools')]: blob('/layers', 'tools')
    })
  })

  it('is undone by a copy of what is needed', async () => {
    const root = await mkdtemp(join(tmpdir(), 'build-moby-links-'))
    try {
      const files = systemFiles(root)
      const both = {
        ...layout(`${root}/layers`, [
          ['base', -1],
          ['tools', 0]
        ]),
        ...layout(`${root}/result`, [['base', -1]])
      }
      for (const [path, text] of Object.entries(both)) await files.write(path, text)
      await files.remove(blob(`${root}/result`, 'base'))
      await linkLayers(`${root}/layers`, `${root}/result`, files)
      expect(await layoutProblem(`${root}/result`, files)).toContain('lacks the blob')
      await replaceLinks(`${root}/result`, files)
      expect(await layoutProblem(`${root}/result`, files)).toBeUndefined()
      expect(await files.kind(blob(`${root}/result`, 'base'))).toBe('file')
      expect(await files.kind(blob(`${root}/result`, 'tools'))).toBeUndefined()
    } finally {
      await rm(root, {recursive: true, force: true})
    }
  })
})

describe('removeSharedLayers', () => {
  it('leaves a sound layout without what another one has', async () => {
    const files = memoryFiles({
      ...layout('/result', [
        ['base', -1],
        ['tools', 0],
        ['binaries', -1]
      ]),
      ...layout('/layers', [
        ['base', -1],
        ['tools', 0]
      ])
    })
    await removeSharedLayers('/result', '/layers', files)
    expect(await layoutProblem('/result', files)).toBeUndefined()
    const blobs = await files.list('/result/blobs/sha256')
    expect(blobs).toHaveLength(3)
    expect(blobs).toContain(digest('binaries').slice(7))
    expect(await files.readText('/result/index.json')).toContain('"name":"latest"')
  })

  it('changes nothing when they have nothing in common', async () => {
    const files = memoryFiles({...layout('/result', [['binaries', -1]]), ...layout('/layers', [['base', -1]])})
    const before = new Map(files.texts)
    await removeSharedLayers('/result', '/layers', files)
    expect(new Map(files.texts)).toEqual(before)
  })

  it('refuses what is no cache of layers', async () => {
    const files = memoryFiles({...layout('/layers', [['base', -1]]), '/result/index.json': '{"manifests": [1]}'})
    await expect(removeSharedLayers('/result', '/layers', files)).rejects.toThrow('no digest')
  })
})
