import {describe, expect, it} from '@jest/globals'
import type {Inputs} from '../../../src/inputs.js'
import {
  buildOf,
  daemonComponent,
  daemonDockerfile,
  engineWith,
  type Facts,
  planWith,
  sourceWith
} from '../../support/plan.js'

const cacheOf = (inputs: Partial<Inputs> = {}, facts: Partial<Facts> = {}) => buildOf(planWith(inputs, facts)).cache
const withSource = (...overrides: Parameters<typeof sourceWith>) => ({
  components: [daemonComponent({source: sourceWith(...overrides)})]
})
const withTree = (Dockerfile: string) => ({components: [daemonComponent({tree: {Dockerfile}})]})

describe('the cache of layers', () => {
  it('has a key that people can read, and falls back to the same line and then to any', () => {
    const cache = cacheOf()
    expect(cache?.key).toMatch(/^build-moby-layers-1-daemon-linux_amd64-all-28\.5-[0-9a-f]{16}$/)
    expect(cache?.prefixes).toEqual([
      'build-moby-layers-1-daemon-linux_amd64-all-28.5-',
      'build-moby-layers-1-daemon-linux_amd64-all-'
    ])
  })

  it('is kept apart for the client', () => {
    expect(buildOf(planWith(), 'client').cache?.key).toMatch(/^build-moby-layers-1-client-/)
  })

  it.each<[string, Partial<Inputs>, string]>([
    ['cache-key', {cacheKey: 'nightly'}, 'nightly-build-moby-layers-1-daemon-linux_amd64-all-'],
    ['target', {target: 'binary'}, 'build-moby-layers-1-daemon-linux_amd64-binary-'],
    [
      'platforms',
      {platforms: ['linux/arm/v7', 'linux/arm64']},
      'build-moby-layers-1-daemon-linux_arm_v7+linux_arm64-all-'
    ]
  ])('is kept apart by %s', (_input, inputs, prefix) => {
    const cache = cacheOf(inputs)
    expect(cache?.prefixes.at(-1)).toBe(prefix)
    expect(cache?.key.startsWith(prefix)).toBe(true)
  })

  it.each<[string, Partial<Inputs>, Partial<Facts>]>([
    ['the commit', {}, withSource({commit: 'f'.repeat(40)})],
    ['the version', {}, withSource({version: '28.5.3'})],
    ['the time of the commit', {}, withSource({commitTime: 1})],
    ['the Dockerfile', {}, withTree(`${daemonDockerfile}# more\n`)],
    ['a build argument', {buildArguments: {DOCKER_DEBUG: '1'}}, {}],
    ['the platform name', {platformName: 'Acme'}, {}],
    ['the apt mirror', {}, {network: {aptMirror: 'http://m.example'}}],
    ['the Go proxy', {}, {network: {goProxy: 'off'}}],
    ['the git mirrors', {}, {network: {gitMirrors: [{from: 'https://github.com/', to: 'https://m.example/'}]}}],
    ['strict', {strict: true}, {}]
  ])('gets another key, but for the same line the same fallback, when this changes: %s', (_what, inputs, facts) => {
    expect(cacheOf(inputs, facts)?.key).not.toBe(cacheOf()?.key)
    expect(cacheOf(inputs, facts)?.prefixes).toEqual(cacheOf()?.prefixes)
  })

  it.each<[string, Partial<Inputs>, Partial<Facts>]>([
    ['the directory of the run', {}, {workDirectory: '/elsewhere'}],
    ['the directory of the checkout', {}, withSource({directory: '/elsewhere'})],
    ['the name of the ref', {}, withSource({ref: {kind: 'branch', name: 'x', fullName: 'refs/heads/x'}})],
    ['the history', {}, withSource({history: 'full'})],
    ['the builder', {builder: 'far'}, {engine: engineWith({builder: {name: 'far', driver: 'remote'}})}],
    ['the proxies', {proxies: {https: 'http://proxy.example'}}, {}],
    ['retries', {retries: 5}, {}],
    ['verify', {verify: 'off'}, {}],
    ['the artifacts', {upload: false, artifactPrefix: 'x', retentionDays: 1, compressionLevel: 9}, {}]
  ])('keeps its key when only this changes: %s', (_what, inputs, facts) => {
    expect(cacheOf(inputs, facts)?.key).toBe(cacheOf()?.key)
  })

  it('falls back to other lines by the version', () => {
    expect(cacheOf({}, withSource({version: '29.0.0-rc.1'}))?.prefixes[0]).toMatch(/-29\.0-$/)
    expect(cacheOf({}, withSource({version: 'main'}))?.prefixes[0]).toMatch(/-other-$/)
  })

  it('is none when caches are off or the builder has none', () => {
    expect(cacheOf({cache: 'off'})).toBeUndefined()
    const engine = engineWith({builder: {exportsCaches: false}})
    expect(cacheOf({builder: 'default'}, {engine})).toBeUndefined()
  })
})
