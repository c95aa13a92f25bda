import {createHash} from 'node:crypto'
import {mkdir, mkdtemp, rm, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemFiles} from '../../src/adapters/files.js'
import {layoutProblem} from '../../src/cache/layout.js'

interface Descriptor {
  readonly digest: string
  readonly size: number
  readonly mediaType?: string
}

describe('layoutProblem', () => {
  let directory: string
  let layer: Descriptor
  let config: Descriptor
  let manifest: Descriptor

  const pathOf = ({digest}: Descriptor) => join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length))
  const blob = async (content: string): Promise<Descriptor> => {
    const found = {digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, size: content.length}
    await writeFile(pathOf(found), content)
    return found
  }
  const writeIndex = (content: unknown) => writeFile(join(directory, 'index.json'), JSON.stringify(content))
  const problem = () => layoutProblem(directory, systemFiles(directory))

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'build-moby-layout-'))
    await mkdir(join(directory, 'blobs', 'sha256'), {recursive: true})
    layer = await blob('a layer')
    config = {...(await blob('{"layers": []}')), mediaType: 'application/vnd.buildkit.cacheconfig.v0'}
    manifest = await blob(JSON.stringify({config, layers: [layer]}))
    await writeIndex({manifests: [manifest]})
  })

  afterEach(async () => {
    await rm(directory, {recursive: true})
  })

  it('is none where everything is there', async () => {
    expect(await problem()).toBeUndefined()
    await writeIndex({manifests: [await blob(JSON.stringify({manifests: [layer, config]}))]})
    expect(await problem()).toBeUndefined()
  })

  it.each<[string, string, () => Promise<void>]>([
    [
      'an empty directory',
      'no index.json',
      async () => {
        await rm(directory, {recursive: true})
        await mkdir(directory)
      }
    ],
    ['no index', 'no index.json', () => rm(join(directory, 'index.json'))],
    ['an index of nothing', 'no index.json with a manifest', () => writeIndex({manifests: []})],
    ['an index that is cut', 'cannot be read', () => writeFile(join(directory, 'index.json'), '{"manifests": [')],
    ['something else', 'no index.json with a manifest', () => writeIndex('moby')],
    ['no digests', 'cannot be read: .*manifests has no digest', () => writeIndex({manifests: [{size: 1}]})],
    ['a path', 'cannot be read', () => writeIndex({manifests: [{digest: '../../etc/passwd', size: 1}]})],
    [
      'an image',
      'no cache of layers',
      async () => writeIndex({manifests: [await blob(JSON.stringify({config: layer, layers: [layer]}))]})
    ],
    ['no manifest', 'lacks the blob sha256:', () => rm(pathOf(manifest))],
    ['no layer', 'lacks the blob sha256:', () => rm(pathOf(layer))],
    ['no configuration', 'lacks the blob sha256:', () => rm(pathOf(config))],
    ['a layer that is cut', 'has another size', () => truncate(pathOf(layer), 3)],
    ['another layer', 'has another content', () => writeFile(pathOf(layer), 'b layer')],
    ['another manifest', 'has another content', () => writeFile(pathOf(manifest), ' '.repeat(manifest.size))],
    [
      'a directory for a layer',
      'lacks the blob',
      async () => {
        await rm(pathOf(layer))
        await mkdir(pathOf(layer))
      }
    ]
  ])('is found in %s', async (_what, expected, damage) => {
    await damage()
    expect(await problem()).toMatch(new RegExp(expected))
  })
})
