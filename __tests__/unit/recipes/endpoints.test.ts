import {describe, expect, it} from '@jest/globals'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {endpointsOf, hostsOf, type EndpointOptions} from '../../../src/recipes/endpoints.js'
import {externalSources} from '../../../src/recipes/external-sources.js'
import type {Tree} from '../../../src/recipes/recipe.js'

const options: EndpointOptions = {component: 'daemon', builderFetcher: 'buildkitd'}
const variables = {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64']}

function endpoints(text: readonly string[], changes: Partial<EndpointOptions> = {}, tree: Tree = {}) {
  const sources = externalSources(parseDockerfile(text.join('\n')), 'target', variables, tree)
  return endpointsOf(sources, {...options, ...changes})
}

describe('endpointsOf', () => {
  const text = [
    'FROM golang:1.24 AS target',
    'COPY hack/get.sh /',
    'RUN /get.sh',
    'ADD https://github.com/a/b.git?ref=v1&keep-git-dir=1 /b',
    'RUN git clone https://github.com/a/b.git',
    'RUN git clone https://github.com/a/b.git /again',
    'COPY --from=quay.io/x/y:2 / /'
  ]
  const tree = {'hack/get.sh': '\n\n\n\n\n\n\n\ncurl https://x.example/a'}

  it('lists what is fetched, by whom and from where, in the order of the Dockerfile and once', () => {
    const shown = endpoints(text, {}, tree).map(({kind, what, fetcher, from}) => [
      `${kind} ${what}`,
      fetcher,
      `${from?.component} ${from?.file}:${from?.line}`
    ])
    expect(shown).toEqual([
      ['image docker.io/library/golang:1.24', 'buildkitd', 'daemon Dockerfile:1'],
      ['http https://x.example/a', 'build step', 'daemon hack/get.sh:9'],
      // Git in BuildKit and git in a step go different ways.
      ['git https://github.com/a/b.git', 'buildkitd', 'daemon Dockerfile:4'],
      ['git https://github.com/a/b.git', 'build step', 'daemon Dockerfile:5'],
      ['image quay.io/x/y:2', 'buildkitd', 'daemon Dockerfile:7']
    ])
  })

  it('begins with the frontend when it is fetched', () => {
    const [first] = endpoints(text, {
      frontendImage: 'docker/dockerfile:1',
      builderFetcher: 'dockerd',
      component: 'client'
    })
    expect(first).toEqual({
      kind: 'frontend',
      what: 'docker.io/docker/dockerfile:1',
      hosts: ['registry-1.docker.io', 'auth.docker.io', 'production.cloudflare.docker.com'],
      fetcher: 'dockerd',
      from: {component: 'client', file: 'Dockerfile', line: 1}
    })
  })

  it('shows no credentials', () => {
    const found = endpoints([
      'FROM scratch AS target',
      'ADD https://user:secret@x.example/a /',
      'ADD https://token@x.example/b.git /',
      'RUN git clone https://secret@x.example/c.git && curl https://me:secret@x.example/d'
    ])
    expect(found.map(({what}) => what)).toEqual([
      'https://x.example/a',
      'https://x.example/b.git',
      'https://x.example/c.git',
      'https://x.example/d'
    ])
  })
})

describe('hostsOf', () => {
  it.each([
    ['image', 'golang:1.24', ['registry-1.docker.io', 'auth.docker.io', 'production.cloudflare.docker.com']],
    ['image', 'ghcr.io/a/b:1', ['ghcr.io']],
    ['image', 'localhost:5000/a', ['localhost']],
    ['apt', 'http://*/debian', []],
    ['apt', 'http://llvm.example/apt', ['llvm.example']],
    ['apk', 'https://dl-cdn.alpinelinux.org/alpine', ['dl-cdn.alpinelinux.org']],
    ['git', 'git://github.com/a/b.git', ['github.com']],
    ['git', 'git@github.com:a/b.git', ['github.com']],
    ['http', 'http://keys.example:80/', ['keys.example']],
    ['go', 'https://proxy.golang.org/', ['proxy.golang.org']],
    ['sumdb', 'https://sum.golang.org/', ['sum.golang.org']],
    ['pip', 'https://pypi.org/simple/', ['pypi.org', 'files.pythonhosted.org']],
    ['gem', 'https://rubygems.org/', ['index.rubygems.org', 'rubygems.org']]
  ] as const)('of the %s %s are %j', (kind, what, hosts) => {
    expect(hostsOf(kind, what)).toEqual(hosts)
  })
})
