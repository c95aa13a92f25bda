import {describe, expect, it} from '@jest/globals'
import {planReuse, type PlannedReuse, type ReusableBundles} from '../../../src/cache/reuse.js'
import type {Inputs} from '../../../src/inputs.js'
import {formatImageReference, parseImageReference} from '../../../src/network/images.js'
import type {Network} from '../../../src/network/network.js'
import {takeInventory} from '../../../src/plan/inventory.js'
import {inputsWith} from '../../support/inputs.js'
import {clientComponent, daemonComponent, engineWith, type Facts, factsWith, planWith} from '../../support/plan.js'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const images = [
  'docker/dockerfile:1',
  'golang:1.24.9-bookworm',
  'golang:1.24.9-alpine',
  'tonistiigi/xx:1.7.0',
  'golang:1.26.0-bookworm'
]
const digests = new Map(images.map(image => [formatImageReference(parseImageReference(image)), digest('a')]))

interface Changes {
  readonly inputs?: Partial<Inputs>
  readonly facts?: Partial<Facts>
  readonly digests?: ReadonlyMap<string, string>
  readonly program?: string
  readonly unique?: string
}

function planned({inputs = {}, facts = {}, ...changes}: Changes = {}): PlannedReuse {
  const given = inputsWith(inputs)
  const {components, engine} = factsWith(facts)
  return planReuse(given, planWith(inputs, facts), {
    components: components.map(component => takeInventory(component, given, engine)),
    imageDigests: changes.digests ?? digests,
    program: changes.program ?? 'sha256:b',
    unique: changes.unique ?? '00000000'
  })
}

function reusable(changes: Changes = {}): ReusableBundles {
  const reuse = planned(changes)
  if ('why' in reuse) throw new Error(reuse.why)
  return reuse
}

const network = (overrides: Partial<Network>): Changes => ({facts: {network: overrides}})

const daemonOf = (changes: Parameters<typeof daemonComponent>[0]): Changes => ({
  facts: {components: [daemonComponent(changes), clientComponent()]}
})

describe('planReuse', () => {
  it('names the entry after what it is of', () => {
    const {key, prefix} = reusable({inputs: {cacheKey: 'nightly'}, unique: 'cafe0001'})
    expect(prefix).toMatch(/^nightly-build-moby-bundles-1-daemon\+client-linux_amd64-all-[0-9a-f]{16}-$/)
    expect(key).toBe(`${prefix}cafe0001`)
  })

  it('has the commits, the stamps and the digests of all images among the facts', () => {
    const {facts} = reusable()
    expect(facts).toMatchObject({schema: 1, program: 'sha256:b', verify: 'version'})
    expect(facts.builds[0]).toMatchObject({
      component: 'daemon',
      commit: '89c5e8fd66634b6128fc4c0e6f1236e2540e46e0',
      platforms: ['linux/amd64'],
      stamp: {binary: 'dockerd', version: '28.5.2', commit: '89c5e8f'},
      frontend: 'docker/dockerfile:1',
      images: {
        'docker.io/docker/dockerfile:1': digest('a'),
        'docker.io/library/golang:1.24.9-bookworm': digest('a'),
        'docker.io/tonistiigi/xx:1.7.0': digest('a')
      }
    })
    expect(Object.keys(facts.builds[1]?.images ?? {})).toEqual([
      'docker.io/docker/dockerfile:1',
      'docker.io/library/golang:1.24.9-alpine'
    ])
  })

  const same: Readonly<Record<string, Changes>> = {
    'another directory': {facts: {workDirectory: '/elsewhere', unique: 'ffffffff'}},
    'another name of the run': {unique: 'ffffffff'},
    'another checkout': daemonOf({
      source: {...daemonComponent().source, directory: '/elsewhere/moby', history: 'full', repository: 'fork/moby'}
    }),
    'a registry mirror': network({
      registryMirrors: [{registry: 'docker.io', host: 'mirror.example', path: '', scheme: 'https'}]
    }),
    'other mirrors': network({aptMirror: 'https://apt.example', goProxy: 'https://go.example'}),
    'a proxy with credentials': network({proxies: {http: 'http://me:secret@proxy:3128', https: 'http://proxy:3128'}}),
    'the wall of strict': network({strict: true, proxies: {http: 'http://proxy:1', https: 'http://proxy:1'}}),
    'other caches': {inputs: {cache: 'off', retries: 0}},
    'the native platform by name': {inputs: {platforms: ['linux/amd64']}},
    'digests of other images': {digests: new Map([...digests, ['docker.io/library/busybox:latest', digest('c')]])}
  }

  it.each(Object.keys(same))('is the same with %s', name => {
    expect(reusable(same[name]).prefix).toBe(reusable().prefix)
  })

  const other: Readonly<Record<string, Changes>> = {
    'another commit': daemonOf({source: {...daemonComponent().source, commit: 'f'.repeat(40)}}),
    'another version': {
      inputs: {product: 'x'},
      ...daemonOf({source: {...daemonComponent().source, version: '28.6.0'}})
    },
    'another product': {inputs: {product: 'mine'}},
    'another build argument': {inputs: {buildArguments: {DOCKER_LDFLAGS: '-s'}}},
    'another target': {inputs: {target: 'binary'}},
    'another platform': {inputs: {platforms: ['linux/arm64']}},
    'no client': {facts: {components: [daemonComponent()]}},
    'no verification': {inputs: {verify: 'off'}},
    'another program': {program: 'sha256:c'},
    'another cache key': {inputs: {cacheKey: 'mine'}},
    'another .dockerignore': daemonOf({tree: {...daemonComponent().tree, '.dockerignore': 'bundles\n'}}),
    'another digest of a base image': {
      digests: new Map([...digests, ['docker.io/library/golang:1.24.9-bookworm', digest('c')]])
    },
    'another digest of the frontend': {digests: new Map([...digests, ['docker.io/docker/dockerfile:1', digest('c')]])}
  }

  it.each(Object.keys(other))('is another with %s', name => {
    expect(reusable(other[name]).prefix).not.toBe(reusable().prefix)
  })

  it('does not depend on the order of the arguments', () => {
    const one = reusable({inputs: {buildArguments: {A: '1', B: '2'}}})
    expect(reusable({inputs: {buildArguments: {B: '2', A: '1'}}}).prefix).toBe(one.prefix)
  })

  it('compares BuildKit where that reads the Dockerfile', () => {
    const without = (buildkit: readonly [number, number, number]) => ({
      facts: {
        components: [daemonComponent({mirrorHasFrontend: false}), clientComponent({mirrorHasFrontend: false})],
        engine: engineWith({builder: {buildkit}})
      }
    })
    expect(reusable(without([0, 25, 1])).facts.builds[0]?.frontend).toBe('built into BuildKit 0.25.1')
    expect(reusable(without([0, 26, 0])).prefix).not.toBe(reusable(without([0, 25, 1])).prefix)
  })

  it('proves nothing while the digest of one image is unknown, and says of which', () => {
    const known = new Map([...digests].filter(([name]) => !name.includes('xx')))
    expect(planned({digests: known})).toEqual({
      why: 'no registry tells the digest of docker.io/tonistiigi/xx:1.7.0, so nothing proves that it is unchanged'
    })
    expect(planned({digests: new Map()})).toMatchObject({why: expect.stringContaining('docker/dockerfile:1, ')})
  })

  it('says in words what was compared, and what cannot be', () => {
    const {compared, notCompared} = reusable()
    expect(compared).toEqual([
      'the commit of the daemon (89c5e8f)',
      'the commit of the client (89c5e8f)',
      'the build arguments, target, platforms and stamps',
      'the digests of docker/dockerfile:1, golang:1.24.9-bookworm, tonistiigi/xx:1.7.0, golang:1.24.9-alpine',
      'Build Moby itself and what it verifies'
    ])
    expect(notCompared).toEqual([
      "what the Dockerfile's steps fetch besides: packages of Debian and Ubuntu, git repositories"
    ])
  })
})
