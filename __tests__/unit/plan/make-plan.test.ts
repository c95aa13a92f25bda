import {describe, expect, it} from '@jest/globals'
import {ConfigurationError} from '../../../src/errors.js'
import type {Inputs} from '../../../src/inputs.js'
import {
  buildOf,
  clientComponent,
  daemonComponent,
  daemonDockerfile,
  engineWith,
  fileOf,
  planWith,
  sourceWith
} from '../../support/plan.js'

const mirror = {registry: 'docker.io', host: '127.0.0.1:5000', path: '', scheme: 'http'} as const
const mirrored = {network: {registryMirrors: [mirror]}}

describe('makePlan', () => {
  it('plans the daemon and the client, each from its own recipe and directory', () => {
    const {builds, schema} = planWith()
    expect(schema).toBe(1)
    expect(builds.map(({component, bundle, recipe}) => [component, bundle, recipe])).toEqual([
      ['daemon', 'binary-daemon', 'moby-bake'],
      ['client', 'binary-client', 'cli-bake']
    ])
    expect(builds.map(({stamp}) => stamp)).toEqual([
      {binary: 'dockerd', version: '28.5.2', commit: '89c5e8f'},
      {binary: 'docker', version: '28.5.2', commit: '89c5e8f'}
    ])
    expect(builds.map(({exportDirectory}) => exportDirectory)).toEqual([
      '/job/run/daemon/export',
      '/job/run/client/export'
    ])
  })

  it('runs bake in the checkout, with the tree’s own file and then the override', () => {
    const build = buildOf(planWith({target: 'dynbinary'}))
    expect(build.workingDirectory).toBe('/workspace/moby')
    expect(build.command).toEqual([
      'docker',
      'buildx',
      'bake',
      '--builder=default',
      '--file=docker-bake.hcl',
      '--file=/job/run/daemon/bake-override.json',
      '--progress=rawjson',
      '--allow=fs.read=/job/run',
      '--allow=fs.write=/job/run',
      'dynbinary'
    ])
  })

  it('asks an older buildx for no entitlements that it does not know', () => {
    const {command} = buildOf(planWith({}, {engine: engineWith({buildx: [0, 17, 1]})}))
    expect(command.filter(word => word.startsWith('--allow'))).toEqual([])
  })

  it('writes only outside the tree', () => {
    for (const {files, workingDirectory} of planWith({}, mirrored).builds) {
      expect(files.length).toBeGreaterThan(2)
      for (const {path} of files) expect(path).not.toContain(workingDirectory)
    }
  })

  it('keeps the frontend of the tree, or takes its line out for the built-in one', () => {
    expect(fileOf(buildOf(planWith()), 'Dockerfile')).toMatch(/^# syntax=docker\/dockerfile:1\n/)
    const without = planWith({}, {...mirrored, components: [daemonComponent({mirrorHasFrontend: false})]})
    expect(fileOf(buildOf(without), 'Dockerfile')).toMatch(/^#\n\nARG GO_VERSION/)
    expect(without.notes).toEqual([expect.stringMatching(/he mirror has no 127.0.0.1:5000\/docker\/dockerfile:1/)])
  })

  it('primes just the images that something is downloaded on top of, in a stage of their own', () => {
    const text = fileOf(buildOf(planWith({}, {network: {goProxy: 'off'}})), 'Dockerfile')
    expect(text.match(/^(ARG GOLANG.*|FROM .*|ENV .*)$/gm)).toEqual([
      'ARG GOLANG_IMAGE="golang:${GO_VERSION}-bookworm"',
      'FROM --platform=$BUILDPLATFORM ${GOLANG_IMAGE} AS build-moby-base-1',
      'ENV GOPROXY="off"',
      'FROM --platform=$BUILDPLATFORM tonistiigi/xx:1.7.0 AS xx',
      'FROM --platform=$BUILDPLATFORM build-moby-base-1 AS base',
      'FROM base AS runc',
      'FROM base AS build',
      'FROM scratch AS binary',
      'FROM scratch AS all'
    ])
  })

  it('cuts the steps off that download nothing under strict, wherever stages of ours move them', () => {
    const text = fileOf(buildOf(planWith({strict: true}, {network: {goProxy: 'off'}})), 'Dockerfile')
    expect(text).toContain('RUN apt-get update\n')
    expect(text).toContain('RUN  --network=none ./hack/make.sh binary\n')
    expect(text.match(/--network=none/g)).toHaveLength(1)
  })

  it('hands a source policy over only when something is mirrored', () => {
    expect(buildOf(planWith()).environment).not.toHaveProperty('EXPERIMENTAL_BUILDKIT_SOURCE_POLICY')
    const build = buildOf(planWith({}, mirrored))
    expect(build.environment.EXPERIMENTAL_BUILDKIT_SOURCE_POLICY).toBe('/job/run/daemon/source-policy.json')
    expect(fileOf(build, 'source-policy.json')).toContain('docker-image://127.0.0.1:5000/${1}')
  })

  it('chooses the stages by the platforms that are asked for', () => {
    const Dockerfile = `${daemonDockerfile}FROM binary-\${TARGETOS} AS later\n`
    const plan = planWith(
      {platforms: ['linux/arm64', 'windows/amd64']},
      {
        components: [daemonComponent({tree: {...daemonComponent().tree, Dockerfile}})]
      }
    )
    expect(buildOf(plan).platforms).toEqual(['linux/arm64', 'windows/amd64'])
    expect(fileOf(buildOf(plan), 'bake-override.json')).toContain('"linux/arm64"')
  })

  it.each<[string, Partial<Inputs>, Parameters<typeof engineWith>[0], RegExp]>([
    ['a daemon without a proxy', {proxies: {https: 'http://p'}}, {}, /^The Docker daemon has no proxy of its own/],
    [
      'a builder with its own proxies',
      {proxies: {http: 'http://p'}, builder: 'far'},
      {builder: {name: 'far', driver: 'remote'}},
      /^The builder 'far' fetches .* with the proxies it was created with/
    ],
    [
      'a builder without caches',
      {builder: 'default'},
      {builder: {exportsCaches: false}},
      /^The builder 'default' cannot export layer caches/
    ]
  ])('notes %s', (_what, inputs, engine, note) => {
    expect(planWith(inputs, {engine: engineWith(engine)}).notes).toEqual([expect.stringMatching(note)])
  })

  it.each<[string, Partial<Inputs>, Parameters<typeof engineWith>[0]]>([
    ['no proxy', {}, {}],
    ['no proxy and a builder of its own', {}, {builder: {exportsCaches: false}}]
  ])('notes nothing for %s', (_what, inputs, engine) => {
    expect(planWith(inputs, {engine: engineWith(engine)}).notes).toEqual([])
  })

  it('refuses what the engine cannot do', () => {
    const network = {registryMirrors: [{...mirror, host: '10.0.0.1:5000'}]}
    expect(() => planWith({builder: 'default'}, {network})).toThrow(ConfigurationError)
  })

  it('says the same of the same', () => {
    expect(planWith({}, mirrored)).toEqual(planWith({}, mirrored))
    expect(JSON.parse(JSON.stringify(planWith({}, mirrored)))).toEqual(planWith({}, mirrored))
  })

  it.each([
    ['the builder that is there', engineWith()],
    ['a builder of its own', engineWith({builder: {exportsCaches: false}})]
  ])('holds no secret, with %s', (_which, engine) => {
    const proxies = {http: 'http://me:s3cret@127.0.0.1:1', https: 'http://s3cret@proxy.example:2', none: 'x'}
    const client = clientComponent({source: sourceWith({repository: 'https://git.example/cli'})})
    const inputs = {proxies, token: 's3cret', repository: 'https://me:s3cret@git.example/moby'}
    const plan = planWith(inputs, {engine, components: [daemonComponent(), client]})
    expect(JSON.stringify(plan)).not.toContain('s3cret')
  })
})
