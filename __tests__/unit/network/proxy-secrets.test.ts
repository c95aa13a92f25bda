import {describe, expect, it} from '@jest/globals'
import {
  haveCredentials,
  proxySecretEnvironment,
  proxySecretLines,
  withoutProxySecrets,
  withProxySecrets
} from '../../../src/network/proxy-secrets.js'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {takesSecretVariables} from '../../../src/recipes/frontend.js'
import {buildOf, fileOf, planWith} from '../../support/plan.js'

const proxies = {http: 'http://me:s3cret@proxy:1', https: 'http://me:s3cret@proxy:2', none: 'localhost'}
const mount = (scheme: string, name: string) => `--mount=type=secret,id=build-moby-proxy-${scheme},env=${name}`
const mounts = [
  mount('http', 'http_proxy'),
  mount('http', 'HTTP_PROXY'),
  mount('https', 'https_proxy'),
  mount('https', 'HTTPS_PROXY')
].join(' ')

describe('haveCredentials', () => {
  it.each([
    [{}, false],
    [{http: 'http://proxy:1', none: 'a@b'}, false],
    [{https: 'http://me:pass@proxy:1'}, true],
    [{http: 'http://token@proxy:1'}, true]
  ])('of %j: %s', (settings, have) => {
    expect(haveCredentials(settings)).toBe(have)
  })
})

describe('withProxySecrets', () => {
  it('gives them to every RUN and to nothing else', () => {
    const before = 'FROM x\n# RUN no\nRUN make\n  run a \\\n    && RUN b\nCOPY a RUN\nRUN <<EOT\nRUN c\nEOT\n'
    const after = `FROM x\n# RUN no\nRUN ${mounts} make\n  run ${mounts} a \\\n    && RUN b\nCOPY a RUN\nRUN ${mounts} <<EOT\nRUN c\nEOT\n`
    expect(withProxySecrets(before, proxies)).toBe(after)
  })

  it('changes neither the steps otherwise nor their lines', () => {
    const before = 'FROM x\nRUN --mount=type=cache,target=/c make\nRUN b\n'
    const steps = (text: string) =>
      parseDockerfile(text).stages.flatMap(({instructions}) =>
        instructions.map(({line, text: rest, flags}) => [line, rest, flags.at(-1)?.value])
      )
    const after = steps(withProxySecrets(before, proxies))
    expect(after.map(([line, rest]) => [line, rest])).toEqual(steps(before).map(([line, rest]) => [line, rest]))
    expect(after[0]?.[2]).toBe('type=cache,target=/c')
  })

  it('is undone in the names of steps', () => {
    expect(withoutProxySecrets(`[a 1/2] RUN ${mounts} --network=none make`)).toBe('[a 1/2] RUN --network=none make')
  })

  it('holds no value; only the variables of the docker client do, one for each secret', () => {
    const variables = proxySecretEnvironment(proxies)
    expect(JSON.stringify([withProxySecrets('FROM x\nRUN y\n', proxies), proxySecretLines(proxies)])).not.toContain(
      's3cret'
    )
    expect(proxySecretLines(proxies)).toEqual(
      Object.keys(variables).map(
        (variable, index) => `id=build-moby-proxy-${index === 0 ? 'http' : 'https'},env=${variable}`
      )
    )
    expect(Object.values(variables)).toEqual([proxies.http, proxies.https])
    expect(proxySecretEnvironment({https: 'http://p'})).toEqual({BUILD_MOBY_HTTPS_PROXY: 'http://p'})
  })
})

describe('a plan', () => {
  it('passes proxies with credentials as secrets, in the Dockerfile and the bake file', () => {
    const build = buildOf(planWith({proxies}))
    expect(build.proxySecrets).toBe(true)
    expect(fileOf(build, 'Dockerfile')).toContain(`RUN ${mounts} ./hack/make.sh`)
    expect(JSON.parse(fileOf(build, 'bake-override.json'))).toMatchObject({
      target: {all: {secret: proxySecretLines(proxies)}}
    })
  })

  it('leaves the Dockerfile alone when there is nothing secret', () => {
    const build = buildOf(planWith({proxies: {https: 'http://proxy:1'}}))
    expect(build.proxySecrets).toBe(false)
    expect(build.files).toEqual(buildOf(planWith()).files)
  })
})

describe('takesSecretVariables', () => {
  it.each([
    ['docker/dockerfile:1', undefined, true],
    ['docker/dockerfile:1.10', undefined, true],
    ['docker/dockerfile:1.9', undefined, false],
    ['docker/dockerfile:1.9.1', [0, 99, 0], false]
  ] as const)('of the image %s with BuildKit %j: %s', (image, buildkit, takes) => {
    expect(takesSecretVariables({kind: 'image', image}, buildkit)).toBe(takes)
  })

  it.each([
    [[0, 16, 0], true],
    [[0, 15, 2], false],
    [undefined, true]
  ] as const)('of the frontend built into BuildKit %j: %s', (buildkit, takes) => {
    expect(takesSecretVariables({kind: 'built-in'}, buildkit)).toBe(takes)
  })
})
