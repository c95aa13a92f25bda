import {describe, expect, it} from '@jest/globals'
import {
  haveCredentials,
  proxySecretEnvironment,
  proxySecretLines,
  withoutProxySecrets,
  withProxySecrets
} from '../../../src/network/proxy-secrets.js'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {buildOf, daemonComponent, daemonDockerfile, engineWith, fileOf, planWith} from '../../support/plan.js'

const proxies = {http: 'http://me:pass@proxy:1', https: 'http://me:pass@proxy:2', none: 'localhost'}
const httpMounts =
  '--mount=type=secret,id=build-moby-proxy-http,env=http_proxy --mount=type=secret,id=build-moby-proxy-http,env=HTTP_PROXY'

describe('haveCredentials', () => {
  it.each<[ProxySettings, boolean]>([
    [{}, false],
    [{http: 'http://proxy:1', https: 'http://proxy:1'}, false],
    [{http: 'http://proxy:1', https: 'http://me:pass@proxy:1'}, true],
    [{http: 'http://token@proxy:1'}, true]
  ])('of %j is %s', (settings, expected) => {
    expect(haveCredentials(settings)).toBe(expected)
  })
})

describe('withProxySecrets', () => {
  it.each([
    ['RUN apt-get update', `RUN ${httpMounts} apt-get update`],
    ['  run  apt-get update', `  run ${httpMounts}  apt-get update`],
    ['RUN ["go", "build"]', `RUN ${httpMounts} ["go", "build"]`],
    [
      'RUN --mount=type=cache,target=/c \\\n  go build',
      `RUN ${httpMounts} --mount=type=cache,target=/c \\\n  go build`
    ],
    ['RUN <<EOT\nRUN no instruction\nEOT', `RUN ${httpMounts} <<EOT\nRUN no instruction\nEOT`],
    ['# RUN nothing\nCOPY RUN /', '# RUN nothing\nCOPY RUN /'],
    ['RUN a \\\n  # RUN b\n  && c', `RUN ${httpMounts} a \\\n  # RUN b\n  && c`]
  ])('turns %j into %j', (step, expected) => {
    expect(withProxySecrets(`FROM base\n${step}\n`, {http: proxies.http})).toBe(`FROM base\n${expected}\n`)
  })

  it('names no proxy, moves no line and changes no step but by its mounts', () => {
    const changed = withProxySecrets(daemonDockerfile, proxies)
    expect(changed).not.toContain('pass')
    const steps = (text: string) => parseDockerfile(text).stages.flatMap(({instructions}) => instructions)
    const shapes = (text: string) => steps(text).map(({keyword, text: rest, line}) => [keyword, rest, line])
    expect(shapes(changed)).toEqual(shapes(daemonDockerfile))
  })
})

describe('the secrets', () => {
  it('are read by docker from variables', () => {
    expect(proxySecretLines(proxies)).toEqual([
      'id=build-moby-proxy-http,env=BUILD_MOBY_HTTP_PROXY',
      'id=build-moby-proxy-https,env=BUILD_MOBY_HTTPS_PROXY'
    ])
    expect(proxySecretEnvironment(proxies)).toEqual({
      BUILD_MOBY_HTTP_PROXY: proxies.http,
      BUILD_MOBY_HTTPS_PROXY: proxies.https
    })
    expect(proxySecretEnvironment({https: proxies.https})).toEqual({BUILD_MOBY_HTTPS_PROXY: proxies.https})
  })

  it('do not show in the name of a step', () => {
    const name = `[base 2/3] RUN ${httpMounts} --mount=type=secret,id=theirs,env=X apt-get update`
    expect(withoutProxySecrets(name)).toBe('[base 2/3] RUN --mount=type=secret,id=theirs,env=X apt-get update')
  })
})

describe('a plan', () => {
  const pinned = (frontend: string, mirrorHasFrontend = true) => ({
    components: [
      daemonComponent({
        tree: {...daemonComponent().tree, Dockerfile: daemonDockerfile.replace('docker/dockerfile:1', frontend)},
        mirrorHasFrontend
      })
    ]
  })
  const builtIn = (...buildkit: [number, number, number]) => ({
    ...pinned('docker/dockerfile:1.4', false),
    engine: engineWith({builder: {buildkit}})
  })

  it.each([
    ['credentials', proxies, {}, true],
    ['no credentials', {http: 'http://proxy:1'}, {}, false],
    ['credentials and frontend 1.10', proxies, pinned('docker/dockerfile:1.10'), true],
    ['credentials and frontend 1.9', proxies, pinned('docker/dockerfile:1.9'), false],
    ['credentials and the frontend of BuildKit 0.16', proxies, builtIn(0, 16, 0), true],
    ['credentials and the frontend of BuildKit 0.15', proxies, builtIn(0, 15, 2), false]
  ] as const)('for proxies with %s', (_what, settings, facts, secret) => {
    const plan = planWith({proxies: settings}, facts)
    expect(JSON.stringify(plan)).not.toContain('pass@')
    const build = buildOf(plan)
    expect(build.proxySecrets).toBe(secret)
    expect(fileOf(build, 'Dockerfile').includes('type=secret')).toBe(secret)
    const {target} = JSON.parse(fileOf(build, 'bake-override.json')) as {target: {all: {secret?: string[]}}}
    expect(target.all.secret).toEqual(secret ? proxySecretLines(settings) : undefined)
  })
})
