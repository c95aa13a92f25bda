import {describe, expect, it} from '@jest/globals'
import {chooseBuilder} from '../../../src/engine/choose-builder.js'
import type {EngineFacts} from '../../../src/engine/survey-engine.js'
import {ConfigurationError} from '../../../src/errors.js'
import type {Network, ReachableMirror} from '../../../src/network/network.js'
import {engineWith} from '../../support/engine.js'
import {inputsWith} from '../../support/inputs.js'
import {networkWith} from '../../support/network.js'

const mirror = (host: string, parts: Partial<ReachableMirror> = {}): ReachableMirror => ({
  registry: 'docker.io',
  host,
  path: '',
  scheme: 'https',
  ...parts
})
const official = 'moby/buildkit:buildx-stable-1'

const imageFor = (
  network: Partial<Network>,
  buildkitImage?: string,
  server: Partial<NonNullable<EngineFacts['server']>> = {}
) => {
  const inputs = inputsWith(buildkitImage === undefined ? {} : {buildkitImage})
  const engine = engineWith({builder: {exportsCaches: false}, server})
  return chooseBuilder(inputs, networkWith(network), engine, 'a1b2c3d4').creation
}

describe('the image of a created builder', () => {
  it.each<[string, string | undefined, readonly ReachableMirror[], string]>([
    ['is the one that is named', 'ghcr.io/acme/buildkit:1', [mirror('127.0.0.1:5000')], 'ghcr.io/acme/buildkit:1'],
    [
      'comes from the mirror of docker.io',
      undefined,
      [mirror('ghcr.example', {registry: 'ghcr.io'}), mirror('127.0.0.1:5000', {path: 'hub', scheme: 'http'})],
      '127.0.0.1:5000/hub/moby/buildkit:buildx-stable-1'
    ],
    [
      'does not come from a mirror that the daemon, which pulls it, would refuse',
      undefined,
      [mirror('10.9.9.9:5000', {scheme: 'http'})],
      official
    ]
  ])('%s', (_what, named, registryMirrors, image) => {
    expect(imageFor({registryMirrors}, named)).toMatchObject({image, upstreamImage: named ?? official})
  })
})

describe('under strict, the image of a created builder', () => {
  const direct = {registries: ['docker.io'], git: [], downloads: [], apt: false, apk: false}

  it.each<[string, Partial<Network>, string | undefined, Partial<NonNullable<EngineFacts['server']>>]>([
    ['comes from a mirror', {registryMirrors: [mirror('mirror.example')]}, undefined, {}],
    ['is named on a mirror', {registryMirrors: [mirror('mirror.example')]}, 'mirror.example/buildkit:1', {}],
    ['is named on this machine', {}, 'localhost:5000/buildkit:1', {}],
    ['is permitted', {direct}, undefined, {}],
    ["comes through the daemon's own proxy", {}, undefined, {proxies: {https: 'http://proxy.example'}}]
  ])('is fine when it %s', (_how, network, named, server) => {
    expect(imageFor({...network, strict: true}, named, server)?.image).toContain('buildkit:')
  })

  it.each<[string, Partial<Network>, string | undefined, RegExp]>([
    [
      'nothing says how to reach it',
      {},
      undefined,
      /pull BuildKit's own image moby\/buildkit:buildx-stable-1 directly from docker\.io \('registry-mirrors' has no line docker\.io=…\)\. Permit that with the line docker\.io=direct .*'buildkit-image'.*'proxies' in its daemon\.json.*'builder'\.$/
    ],
    ['it is in another registry', {direct}, 'ghcr.io/acme/buildkit:1', /directly from ghcr\.io .*ghcr\.io=direct/],
    [
      'the daemon refuses its mirror',
      {registryMirrors: [mirror('10.9.9.9:5000', {scheme: 'http'})]},
      undefined,
      /the daemon refuses the mirror 10\.9\.9\.9:5000.*\{"insecure-registries": \["10\.9\.9\.9:5000"\]\}/
    ],
    ['the daemon has a proxy for plain HTTP alone', {proxies: {https: 'http://ours'}}, undefined, /'strict'/]
  ])('is refused when %s', (_why, network, named, message) => {
    const refused = () => imageFor({...network, strict: true}, named, {proxies: {http: 'http://proxy.example'}})
    expect(refused).toThrow(ConfigurationError)
    expect(refused).toThrow(message)
  })
})
