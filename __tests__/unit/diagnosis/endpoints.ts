import type {RoutedEndpoint} from '../../../src/network/endpoint.js'
import type {Network} from '../../../src/network/network.js'
import {networkWith} from '../../support/network.js'

/** How everything is reached in a test. */
export type RouteName = 'direct' | 'mirror' | 'proxy' | 'refused'

interface Row {
  readonly kind: RoutedEndpoint['kind']
  readonly what: string
  readonly hosts: readonly string[]
  readonly mirrored: string
  readonly input: string
}

const docker = ['registry-1.docker.io', 'auth.docker.io']

const rows: readonly Row[] = [
  {
    kind: 'image',
    what: 'docker.io/library/busybox:latest',
    hosts: docker,
    mirrored: 'registry.mirror.example/library/busybox:latest',
    input: 'registry-mirrors'
  },
  {
    kind: 'image',
    what: 'docker.io/library/debian:nosuch',
    hosts: docker,
    mirrored: 'registry.mirror.example/library/debian:nosuch',
    input: 'registry-mirrors'
  },
  {
    kind: 'frontend',
    what: 'docker.io/docker/dockerfile:1',
    hosts: docker,
    mirrored: 'registry.mirror.example/docker/dockerfile:1',
    input: 'registry-mirrors'
  },
  {
    kind: 'git',
    what: 'https://github.com/krallin/tini.git',
    hosts: ['github.com'],
    mirrored: 'https://git.mirror.example/krallin/tini.git',
    input: 'git-mirrors'
  },
  {
    kind: 'git',
    what: 'https://github.com/opencontainers/runc.git',
    hosts: ['github.com'],
    mirrored: 'https://git.mirror.example/opencontainers/runc.git',
    input: 'git-mirrors'
  },
  {
    kind: 'http',
    what: 'https://download.docker.com/linux/static/stable/x86_64/docker-17.06.2-ce.tgz',
    hosts: ['download.docker.com'],
    mirrored: 'https://download.mirror.example/linux/static/stable/x86_64/docker-17.06.2-ce.tgz',
    input: 'download-mirrors'
  },
  {
    kind: 'apt',
    what: 'http://*/debian',
    hosts: [],
    mirrored: 'http://apt.mirror.example/debian',
    input: 'apt-mirror'
  },
  {
    kind: 'apk',
    what: 'https://dl-cdn.alpinelinux.org/alpine/',
    hosts: ['dl-cdn.alpinelinux.org'],
    mirrored: 'https://apk.mirror.example/alpine/',
    input: 'apk-mirror'
  },
  {
    kind: 'go',
    what: 'https://proxy.golang.org/',
    hosts: ['proxy.golang.org'],
    mirrored: 'https://go.mirror.example/',
    input: 'go-proxy'
  },
  {
    kind: 'sumdb',
    what: 'https://sum.golang.org/',
    hosts: ['sum.golang.org'],
    mirrored: 'https://sum.golang.google.cn/',
    input: 'go-sumdb'
  },
  {
    kind: 'pip',
    what: 'https://pypi.org/simple/',
    hosts: ['pypi.org', 'files.pythonhosted.org'],
    mirrored: 'https://pip.mirror.example/simple',
    input: 'pip-index'
  },
  {
    kind: 'gem',
    what: 'https://rubygems.org/',
    hosts: ['rubygems.org', 'index.rubygems.org'],
    mirrored: 'https://gem.mirror.example/',
    input: 'gem-source'
  }
]

export const proxyUrl = 'http://proxy.example:3128'

/** One endpoint of every kind, as the plan would have them with everything by one route. */
export function endpointsBy(route: RouteName): RoutedEndpoint[] {
  return rows.map(({kind, what, hosts, mirrored, input}) => {
    const proxyInput = kind === 'apt' || kind === 'apk' ? 'http-proxy' : 'https-proxy'
    return {
      kind,
      what,
      hosts,
      fetcher: kind === 'image' || kind === 'frontend' ? 'dockerd' : 'build step',
      route: {
        via: route,
        target: route === 'mirror' ? mirrored : what,
        ...(route === 'proxy' ? {proxy: proxyUrl} : {}),
        inputs: route === 'proxy' ? [proxyInput, 'no-proxy', input] : [input, proxyInput]
      }
    }
  })
}

/** The network that such a plan is made for. */
export function networkBy(route: RouteName, strict = false): Network {
  if (route === 'proxy') return networkWith({strict, proxies: {http: proxyUrl, https: proxyUrl}})
  if (route !== 'mirror') return networkWith({strict})
  return networkWith({
    strict,
    registryMirrors: [{registry: 'docker.io', host: 'registry.mirror.example', path: '', scheme: 'https'}],
    gitMirrors: [{from: 'https://github.com/', to: 'https://git.mirror.example/'}],
    downloadMirrors: [{from: 'https://download.docker.com/', to: 'https://download.mirror.example/'}],
    aptMirror: 'http://apt.mirror.example',
    apkMirror: 'https://apk.mirror.example',
    goProxy: 'https://go.mirror.example',
    goSumdb: 'sum.golang.google.cn',
    pipIndex: 'https://pip.mirror.example/simple',
    gemSource: 'https://gem.mirror.example/'
  })
}
