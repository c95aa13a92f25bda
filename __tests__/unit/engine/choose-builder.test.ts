import {describe, expect, it} from '@jest/globals'
import {chooseBuilder} from '../../../src/engine/choose-builder.js'
import {ConfigurationError} from '../../../src/errors.js'
import type {Inputs} from '../../../src/inputs.js'
import type {Network, ReachableMirror} from '../../../src/network/network.js'
import {engineWith} from '../../support/engine.js'
import {inputsWith} from '../../support/inputs.js'
import {networkWith} from '../../support/network.js'

const mirror = (host: string, parts: Partial<ReachableMirror> = {}): ReachableMirror => ({
  registry: 'docker.io',
  host,
  path: '',
  scheme: 'http',
  ...parts
})
const able = engineWith()
const unable = engineWith({builder: {exportsCaches: false}, server: {containerdImageStore: false}})
const choose = (inputs: Partial<Inputs> = {}, engine = able, network: Partial<Network> = {}) =>
  chooseBuilder(inputsWith(inputs), networkWith(network), engine, 'a1b2c3d4')
const throughMirrors = (engine = able, inputs: Partial<Inputs> = {}, ...registryMirrors: ReachableMirror[]) =>
  choose(inputs, engine, {registryMirrors})

describe('chooseBuilder', () => {
  it('takes the current builder when it can do everything', () => {
    expect(choose()).toEqual({
      kind: 'existing',
      name: 'default',
      driver: 'docker',
      why: 'the current builder, which can export layer caches',
      buildkit: [0, 25, 1],
      platform: 'linux/amd64',
      exportsCaches: true
    })
  })

  it('takes the named builder, whatever it can do', () => {
    expect(choose({builder: 'default'}, unable)).toMatchObject({
      kind: 'existing',
      why: "named by 'builder'",
      exportsCaches: false
    })
  })

  it('needs no caches when they are off', () => {
    expect(choose({cache: 'off'}, unable)).toMatchObject({kind: 'existing', why: 'the current builder, which suffices'})
    const cacheTo = ['type=registry,ref=r.example/a']
    expect(choose({cache: 'off', cacheTo}, unable).kind).toBe('created')
  })

  it('creates one when the current one cannot keep caches', () => {
    expect(choose({}, unable)).toEqual({
      kind: 'created',
      name: 'build-moby-a1b2c3d4',
      driver: 'docker-container',
      why: "the current builder 'default' (driver docker) cannot export layer caches",
      platform: 'linux/amd64',
      exportsCaches: true,
      creation: {
        image: 'moby/buildkit:buildx-stable-1',
        upstreamImage: 'moby/buildkit:buildx-stable-1',
        hostNetwork: false
      }
    })
  })

  it('creates one when the current one builds for one platform at a time', () => {
    const platforms = ['linux/amd64', 'linux/arm64']
    expect(choose({cache: 'off', platforms}, unable).why).toContain('builds one platform at a time')
    expect(choose({cache: 'off', platforms: ['linux/arm64']}, unable).kind).toBe('existing')
    expect(choose({platforms}).kind).toBe('existing')
  })

  it('creates one when the daemon would refuse a mirror, and tells it which one speaks plain HTTP', () => {
    const chosen = throughMirrors(able, {}, mirror('mirror.example:5000', {path: 'hub'}))
    expect(chosen.why).toContain('would refuse the plain-HTTP mirror mirror.example:5000')
    expect(chosen.creation?.configuration).toBe('[registry."mirror.example:5000"]\n  http = true\n')
  })

  it.each([
    ['it speaks HTTPS', mirror('mirror.example', {scheme: 'https'}), []],
    ['it is on this machine', mirror('127.0.0.1:5000'), []],
    ['it is on this machine, in IPv6', mirror('[::1]:5000'), []],
    ['the daemon lists its host and port', mirror('mirror.example:5000'), ['mirror.example:5000']],
    ['the daemon lists its host', mirror('mirror.example:5000'), ['mirror.example']],
    ['the daemon lists its network', mirror('10.0.0.9:5000'), ['10.0.0.0/24']]
  ])('keeps the current builder for a mirror when %s', (_why, reachable, insecureRegistries) => {
    const engine = engineWith({server: {insecureRegistries}})
    expect(throughMirrors(engine, {}, reachable).kind).toBe('existing')
    expect(throughMirrors(engine, {builder: 'default'}, reachable).kind).toBe('existing')
  })

  it('refuses the named builder whose daemon would refuse a mirror, with three ways out', () => {
    const refused = () => throughMirrors(able, {builder: 'default'}, mirror('10.9.9.9:5000'), mirror('127.0.0.1:5000'))
    expect(refused).toThrow(ConfigurationError)
    expect(refused).toThrow(
      /^'registry-mirrors': 10\.9\.9\.9:5000 speaks plain HTTP.*\{"insecure-registries": \["10\.9\.9\.9:5000"\]\}.*HTTPS, or leave 'builder' empty/
    )
  })

  it('leaves the mirrors of a builder that is no daemon to its owner', () => {
    const engine = engineWith({builder: {name: 'far', driver: 'remote'}})
    expect(throughMirrors(engine, {builder: 'far'}, mirror('10.9.9.9:5000')).kind).toBe('existing')
  })
})

describe('a created builder', () => {
  const prefixes = (to: string) => [{from: 'https://upstream.example/', to}]

  it.each<[string, Partial<Network>]>([
    ['a registry mirror', {registryMirrors: [mirror('127.0.0.1:5000')]}],
    ['the apt mirror', {aptMirror: 'http://localhost:8080'}],
    ['the apk mirror', {apkMirror: 'http://localhost:8080'}],
    ['the Go proxy', {goProxy: 'http://127.0.0.1:3000,direct'}],
    ['the checksum database', {goSumdb: 'sum.golang.org http://127.0.0.1:3001'}],
    ['the pip index', {pipIndex: 'http://127.0.0.1:3141/simple'}],
    ['the gem source', {gemSource: 'http://127.0.0.1:9292/'}],
    ['a git mirror', {gitMirrors: prefixes('http://[::1]:80/')}],
    ['a download mirror', {downloadMirrors: prefixes('http://127.0.0.1:80/')}],
    ['a proxy', {proxies: {https: 'http://me:pass@127.0.0.1:3128'}}]
  ])('shares the machine’s network when %s is on the machine', (_what, network) => {
    expect(choose({}, unable, network).creation?.hostNetwork).toBe(true)
  })

  it('does not otherwise', () => {
    const network = {
      registryMirrors: [mirror('mirror.example', {scheme: 'https'})],
      aptMirror: 'http://mirror.example',
      goProxy: 'direct',
      goSumdb: 'off',
      gitMirrors: prefixes('https://mirror.example/'),
      proxies: {http: 'http://proxy.example', none: '127.0.0.1'}
    }
    expect(choose({}, unable, network).creation?.hostNetwork).toBe(false)
  })

  it('is for the platform of the machine', () => {
    const engine = engineWith({builder: {exportsCaches: false, platforms: []}, server: {platform: 'linux/arm64'}})
    expect(choose({}, engine).platform).toBe('linux/arm64')
  })
})
