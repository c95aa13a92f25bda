import {describe, expect, it} from '@jest/globals'
import {dockerEnvironment, inheritedVariables} from '../../../src/engine/environment.js'
import {
  buildkitInEngine,
  buildkitOfFrontend,
  findVersion,
  formatVersion,
  isAtLeast,
  type Version
} from '../../../src/engine/versions.js'

describe('findVersion', () => {
  it.each([
    ['github.com/docker/buildx v0.29.1 a32761a', [0, 29, 1]],
    ['github.com/docker/buildx 0.29.1+ds1 0.29.1+ds1-4', [0, 29, 1]],
    ['Docker version 28.5.2+dfsg4, build 9cc6dea', [28, 5, 2]],
    ['v0.0.0+unknown', [0, 0, 0]],
    ['v1.2.3-rc.1', [1, 2, 3]],
    ['at 10.20.30.40 is 1.2.3', [10, 20, 30]],
    ['1.2', undefined],
    ['', undefined]
  ])('finds in %j %j', (text, version) => {
    expect(findVersion(text)).toEqual(version)
  })
})

describe('isAtLeast', () => {
  it.each<[Version, Version, boolean]>([
    [[0, 13, 0], [0, 13, 0], true],
    [[0, 13, 1], [0, 13, 0], true],
    [[0, 9, 9], [0, 13, 0], false],
    [[1, 0, 0], [0, 13, 5], true],
    [[0, 12, 9], [0, 13, 0], false],
    [[0, 13, 0], [0, 13, 1], false]
  ])('%j is at least %j: %s', (version, minimum, is) => {
    expect(isAtLeast(version, minimum)).toBe(is)
  })
})

describe('formatVersion', () => {
  it('joins the numbers', () => {
    expect(formatVersion([0, 29, 1])).toBe('0.29.1')
  })
})

describe('buildkitInEngine', () => {
  it.each<[Version, Version | undefined]>([
    [
      [29, 99, 0],
      [0, 32, 0]
    ],
    [
      [30, 0, 0],
      [0, 32, 0]
    ],
    [
      [28, 5, 2],
      [0, 25, 0]
    ],
    [
      [28, 0, 4],
      [0, 20, 0]
    ],
    [
      [27, 5, 1],
      [0, 18, 2]
    ],
    [
      [26, 1, 4],
      [0, 13, 1]
    ],
    [
      [24, 0, 0],
      [0, 11, 6]
    ],
    [
      [23, 0, 6],
      [0, 10, 6]
    ],
    [[20, 10, 27], undefined]
  ])('of %j is %j', (engine, buildkit) => {
    expect(buildkitInEngine(engine)).toEqual(buildkit)
  })
})

describe('buildkitOfFrontend', () => {
  it.each<[number, Version]>([
    [4, [0, 10, 0]],
    [18, [0, 24, 0]],
    [26, [0, 32, 0]]
  ])('1.%d is in %j', (minor, buildkit) => {
    expect(buildkitOfFrontend(minor)).toEqual(buildkit)
  })
})

describe('dockerEnvironment', () => {
  it('keeps what docker needs and nothing that bake would take for a variable', () => {
    const environment = {
      PATH: '/bin',
      DOCKER_HOST: 'tcp://x',
      EMPTY: '',
      HOME: undefined,
      VERSION: '1',
      PLATFORM: 'x',
      DESTDIR: '/x',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_TOKEN: 'secret',
      http_proxy: 'http://me:pass@proxy'
    }
    expect(dockerEnvironment(environment)).toEqual({PATH: '/bin', DOCKER_HOST: 'tcp://x'})
  })

  it('can keep every variable that it names', () => {
    const all = Object.fromEntries(inheritedVariables.map(name => [name, name]))
    expect(dockerEnvironment(all)).toEqual(all)
  })
})
