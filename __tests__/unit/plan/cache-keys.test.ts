import {describe, expect, it} from '@jest/globals'
import type {Inputs} from '../../../src/inputs.js'
import type {PlannedCaches} from '../../../src/plan/plan.js'
import {
  buildOf,
  daemonComponent,
  daemonDockerfile,
  engineWith,
  type Facts,
  fileOf,
  planWith,
  sourceWith
} from '../../support/plan.js'

const digests = {
  'docker.io/docker/dockerfile:1': 'sha256:1',
  'docker.io/tonistiigi/xx:1.7.0': 'sha256:2',
  'docker.io/library/golang:1.24.9-bookworm': 'sha256:3',
  'docker.io/library/golang:1.24.9-alpine': 'sha256:4'
}
const known = {imageDigests: new Map(Object.entries(digests))}
const cachesOf = (inputs: Partial<Inputs> = {}, facts: Partial<Facts> = {}): PlannedCaches =>
  buildOf(planWith(inputs, {...known, ...facts})).caches
const withSource = (...overrides: Parameters<typeof sourceWith>) => ({
  components: [daemonComponent({source: sourceWith(...overrides)})]
})
const withTree = (tree: Readonly<Record<string, string>>) => ({
  components: [
    daemonComponent({
      tree: {Dockerfile: daemonDockerfile, 'docker-bake.hcl': 'target "all" {}', '.dockerignore': '.git\n', ...tree}
    })
  ]
})
const moved = {
  imageDigests: new Map(Object.entries({...digests, 'docker.io/library/golang:1.24.9-bookworm': 'sha256:9'}))
}

type Change = readonly [what: string, inputs: Partial<Inputs>, facts: Partial<Facts>]

// What a build has in it before its first step that depends on the commit.
const ofLayers: readonly Change[] = [
  ['a step before the cut', {}, withTree({Dockerfile: daemonDockerfile.replace('apt-get update', 'apt-get upgrade')})],
  ['the bake file', {}, withTree({'docker-bake.hcl': 'target "all" {args = {}}'})],
  ['an argument that is used there', {buildArguments: {GO_VERSION: '1.25.0'}}, {}],
  ['the digest of an image', {}, moved],
  ['the apt mirror', {}, {network: {aptMirror: 'http://m.example'}}],
  ['the Go proxy', {}, {network: {goProxy: 'off'}}]
]
const ofResult: readonly Change[] = [
  ['the commit', {}, withSource({commit: 'f'.repeat(40)})],
  ['the version', {}, withSource({version: '28.5.3'})],
  ['the time of the commit', {}, withSource({commitTime: 1})],
  ['a step after the cut', {}, withTree({Dockerfile: daemonDockerfile.replace('make.sh binary', 'make.sh all')})],
  ['what is left out of the context', {}, withTree({'.dockerignore': 'docs\n'})],
  ['another argument', {buildArguments: {DOCKER_DEBUG: '1'}}, {}],
  ['the platform name', {platformName: 'Acme'}, {}]
]

describe('the keys of layers', () => {
  it('can be read by people, and fall back to any', () => {
    const {result, layers} = cachesOf()
    expect(result?.content).toMatch(/^build-moby-result-\d-daemon-linux_amd64-all-89c5e8f-[0-9a-f]{16}-$/)
    expect(result?.prefixes).toEqual([result?.content])
    expect(layers?.content).toMatch(/^build-moby-layers-\d-daemon-linux_amd64-all-[0-9a-f]{16}-$/)
    expect(layers?.prefixes).toEqual([layers?.content, layers?.content.slice(0, -'0123456789abcdef-'.length)])
  })

  it('are new ones in every run, so that a damaged entry can be replaced', () => {
    for (const entry of [cachesOf().result, cachesOf().layers])
      expect(entry?.key).toBe(`${entry?.content ?? ''}a1b2c3d4`)
  })

  it('are kept apart for the client', () => {
    const {result, layers} = buildOf(planWith({}, known), 'client').caches
    expect(result?.key).toMatch(/^build-moby-result-\d-client-/)
    // Its one step depends on the commit.
    expect(layers).toBeUndefined()
  })

  it.each<[string, Partial<Inputs>, RegExp]>([
    ['cache-key', {cacheKey: 'nightly'}, /^nightly-build-moby-layers-\d-daemon-linux_amd64-all-/],
    ['target', {target: 'binary'}, /^build-moby-layers-\d-daemon-linux_amd64-binary-/],
    ['platforms', {platforms: ['linux/arm/v7', 'linux/arm64']}, /-layers-\d-daemon-linux_arm_v7\+linux_arm64-all-/]
  ])('are kept apart by %s', (_input, inputs, pattern) => {
    const {layers, result} = cachesOf(inputs)
    for (const key of [layers?.key, ...(layers?.prefixes ?? [])]) expect(key).toMatch(pattern)
    expect(result?.key).not.toBe(cachesOf().result?.key)
  })

  it.each([...ofLayers, ...ofResult])('of a result change with %s', (_what, inputs, facts) => {
    expect(cachesOf(inputs, facts).result?.content).not.toBe(cachesOf().result?.content)
  })

  it.each(ofLayers)('of layers change with %s', (_what, inputs, facts) => {
    expect(cachesOf(inputs, facts).layers?.content).not.toBe(cachesOf().layers?.content)
    expect(cachesOf(inputs, facts).layers?.prefixes.slice(1)).toEqual(cachesOf().layers?.prefixes.slice(1))
  })

  it.each<Change>([
    ...ofResult,
    ['another line of releases', {}, withSource({version: '29.0.0-rc.1'})],
    ['a comment', {}, withTree({Dockerfile: daemonDockerfile.replace('ARG GO', '# Go\nARG GO')})],
    ['a stage that is not needed', {}, withTree({Dockerfile: `${daemonDockerfile}FROM base AS dev\nRUN dev\n`})]
  ])('of layers stay with %s', (_what, inputs, facts) => {
    expect(cachesOf(inputs, facts).layers?.content).toBe(cachesOf().layers?.content)
  })

  it('of layers do not depend on the default of an argument that is given', () => {
    const given = {buildArguments: {GO_VERSION: '1.24.9'}}
    const older = withTree({Dockerfile: daemonDockerfile.replace('GO_VERSION=1.24.9', 'GO_VERSION=1.24.8')})
    expect(cachesOf(given, older).layers?.content).toBe(cachesOf(given).layers?.content)
    expect(cachesOf({}, older).layers?.content).not.toBe(cachesOf().layers?.content)
    expect(cachesOf(given).layers?.content).not.toBe(cachesOf({buildArguments: {GO_VERSION: '1.24.7'}}).layers?.content)
  })

  it.each<Change>([
    ['the directory of the run', {}, {workDirectory: '/elsewhere'}],
    ['the directory of the checkout', {}, withSource({directory: '/elsewhere'})],
    ['the name of the ref', {}, withSource({ref: {kind: 'branch', name: 'x', fullName: 'refs/heads/x'}})],
    ['the history', {}, withSource({history: 'full'})],
    ['the builder', {builder: 'far'}, {engine: engineWith({builder: {name: 'far', driver: 'remote'}})}],
    ['the proxies', {proxies: {https: 'http://proxy.example'}}, {}],
    ['retries', {retries: 5}, {}],
    ['verify', {verify: 'off'}, {}],
    ['the artifacts', {upload: false, artifactPrefix: 'x', retentionDays: 1, compressionLevel: 9}, {}]
  ])('stay when only this changes: %s', (_what, inputs, facts) => {
    const {result, layers} = cachesOf(inputs, facts)
    expect(result?.content).toBe(cachesOf().result?.content)
    expect(layers?.content).toBe(cachesOf().layers?.content)
  })

  it('are of layers alone while the digest of an image is unknown', () => {
    for (const missing of ['docker.io/docker/dockerfile:1', 'docker.io/tonistiigi/xx:1.7.0']) {
      const imageDigests = new Map(Object.entries(digests).filter(([name]) => name !== missing))
      const {result, layers} = cachesOf({}, {imageDigests})
      expect(result).toBeUndefined()
      expect(layers?.key).toBeDefined()
    }
  })

  it.each<[string, Partial<Inputs>, Partial<Facts>]>([
    ['caches are off', {cache: 'off'}, {}],
    ['the builder has none', {builder: 'default'}, {engine: engineWith({builder: {exportsCaches: false}})}],
    ['the user keeps them elsewhere', {cacheTo: ['type=registry,ref=r.example/c']}, {}]
  ])('are none when %s', (_why, inputs, facts) => {
    const {result, layers} = cachesOf(inputs, facts)
    expect([result, layers]).toEqual([undefined, undefined])
  })
})

describe('the bake of layers', () => {
  const bakeOf = (inputs: Partial<Inputs> = {}, facts: Partial<Facts> = {}) => {
    const build = buildOf(planWith(inputs, {...known, ...facts}))
    const [dockerfile, override] = build.caches.layers?.files ?? []
    return {
      build,
      dockerfile: dockerfile?.content ?? '',
      main: JSON.parse(fileOf(build, 'bake-override.json')) as {target: {all: Record<string, unknown>}},
      layers: JSON.parse(override?.content ?? '{}') as {target: {all: Record<string, unknown>}}
    }
  }

  it('leaves the last layers with the build itself, and reads both entries', () => {
    expect(bakeOf().main.target.all).toMatchObject({
      'cache-from': ['type=local,src=/job/run/daemon/result-from', 'type=local,src=/job/run/daemon/layers-from'],
      'cache-to': ['type=local,dest=/job/run/daemon/result-to,mode=min,compression=zstd,ignore-error=true']
    })
  })

  it('exports the others from a Dockerfile that ends before the commit', () => {
    const {dockerfile, layers, build} = bakeOf({}, {network: {goProxy: 'off'}})
    expect(dockerfile).toContain('RUN apt-get update\n')
    expect(dockerfile).toContain('${GOLANG_IMAGE} AS build-moby-base-1\nENV GOPROXY="off"\n')
    expect(dockerfile).not.toContain('make.sh')
    expect(layers.target.all).toEqual({
      dockerfile: '/job/run/daemon/layers.Dockerfile',
      target: 'build-moby-layers',
      args: expect.objectContaining({DOCKER_GITCOMMIT: '89c5e8f'}),
      output: ['type=cacheonly'],
      'cache-from': ['type=local,src=/job/run/daemon/layers-from'],
      'cache-to': [
        'type=local,dest=/job/run/daemon/layers-to,mode=max,force-compression=true,compression=zstd,ignore-error=true'
      ]
    })
    const {command, workingDirectory, environment} = build.caches.layers ?? {}
    expect(command).toEqual(
      build.command.map(word => word.replace('/daemon/bake-override.json', '/daemon/layers-override.json'))
    )
    expect([workingDirectory, environment]).toEqual([build.workingDirectory, build.environment])
  })

  it('reads and writes what the user names besides', () => {
    const cacheFrom = ['type=local,src=old', 'r.example/c']
    const {main, build} = bakeOf({cacheFrom})
    const [, , ...own] = main.target.all['cache-from'] as string[]
    expect(own).toEqual(['type=local,src=/workspace/old', 'type=registry,ref=r.example/c'])
    expect(build.command).toContain('--allow=fs.read=/workspace/old')
    const to = bakeOf({cacheFrom, cacheTo: ['type=local,dest=/new,mode=max']})
    expect(to.main.target.all).toMatchObject({
      'cache-from': own,
      'cache-to': ['type=local,dest=/new,mode=max,ignore-error=true']
    })
    expect(to.build.command).toContain('--allow=fs.write=/new')
  })
})
