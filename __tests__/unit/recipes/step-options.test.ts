import {describe, expect, it} from '@jest/globals'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {
  asInTree,
  haveCredentials,
  proxySecretEnvironment,
  proxySecretLines,
  withoutNetwork,
  withProxySecrets
} from '../../../src/recipes/step-options.js'

const proxies = {http: 'http://me:pass@proxy:1', https: 'http://me:pass@proxy:2', none: 'localhost'}
const httpMounts =
  '--mount=type=secret,id=build-moby-proxy-http,env=http_proxy --mount=type=secret,id=build-moby-proxy-http,env=HTTP_PROXY'

const dockerfile = `# syntax=docker/dockerfile:1
FROM golang AS base
RUN apt-get update && \\
    apt-get install git
FROM base AS build
RUN --mount=type=cache,target=/root/.cache <<EOT
make
EOT
COPY . .
RUN ["make", "all"]
`

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
    const changed = withProxySecrets(dockerfile, proxies)
    expect(changed).not.toContain('pass')
    const steps = (text: string) => parseDockerfile(text).stages.flatMap(({instructions}) => instructions)
    const shapes = (text: string) => steps(text).map(({keyword, text: rest, line}) => [keyword, rest, line])
    expect(shapes(changed)).toEqual(shapes(dockerfile))
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
})

describe('withoutNetwork', () => {
  it.each([
    ['RUN ./hack/make.sh', 'RUN  --network=none ./hack/make.sh'],
    ['  run  make', '  run  --network=none  make'],
    [
      'RUN --mount=type=cache,target=/c \\\n  go build',
      'RUN  --network=none --mount=type=cache,target=/c \\\n  go build'
    ],
    ['RUN <<EOT\nmake\nEOT', 'RUN  --network=none <<EOT\nmake\nEOT'],
    ['RUN --network=none make', 'RUN --network=none make'],
    ['RUN --mount=type=tmpfs,target=/t --network=host make', 'RUN --mount=type=tmpfs,target=/t --network=host make'],
    ['COPY . .', 'COPY . .']
  ])('turns %j into %j', (step, expected) => {
    expect(withoutNetwork(`FROM base\n\n${step}\n`, [3])).toBe(`FROM base\n\n${expected}\n`)
  })

  it('leaves alone the steps on other lines, and their numbers', () => {
    const changed = withoutNetwork('FROM base\nRUN a \\\n  && b\nRUN c\nRUN d\n', [3, 5])
    expect(changed).toBe('FROM base\nRUN a \\\n  && b\nRUN c\nRUN  --network=none d\n')
  })
})

describe('asInTree', () => {
  it.each(['RUN apt-get update', 'RUN  make', 'RUN --mount=type=secret,id=theirs,env=X make', 'RUN ["go",  "build"]'])(
    'finds %j again in whatever order it got its options',
    step => {
      const dockerfile = `FROM base\n${step}`
      for (const changed of [
        withProxySecrets(withoutNetwork(dockerfile, [2]), proxies),
        withoutNetwork(withProxySecrets(dockerfile, proxies), [2]),
        withoutNetwork(dockerfile, [2])
      ]) {
        expect(changed).not.toBe(dockerfile)
        expect(asInTree(`[base 2/3] ${changed.split('\n')[1] ?? ''}`)).toBe(`[base 2/3] ${step}`)
      }
    }
  )

  it('leaves a tree the options that are its own', () => {
    const name = '[base 2/3] RUN --network=none --mount=type=secret,id=theirs,env=X make'
    expect(asInTree(name)).toBe(name)
  })
})
