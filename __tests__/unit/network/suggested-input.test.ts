import {describe, expect, it} from '@jest/globals'
import type {EndpointKind} from '../../../src/network/endpoint.js'
import type {Finding} from '../../../src/network/finding.js'
import {mirrorLine, permissionLine, suggestedInput} from '../../../src/network/suggested-input.js'
import {networkWith} from '../../support/network.js'
import {endpointAt} from '../../support/preflight.js'

const runc = 'https://github.com/opencontainers/runc.git'
const mirrored = networkWith({
  registryMirrors: [{registry: 'docker.io', host: 'm.example', path: 'hub', scheme: 'https'}],
  gitMirrors: [{from: 'https://github.com/opencontainers/', to: 'https://m.example/oci/'}],
  downloadMirrors: [{from: 'https://get.example/', to: 'https://m.example/get/'}],
  aptMirror: 'https://m.example',
  apkMirror: 'https://m.example',
  goProxy: 'https://m.example,direct',
  goSumdb: 'sum.golang.org https://m.example/sumdb',
  pipIndex: 'https://m.example/simple',
  gemSource: 'https://m.example/gems'
})

describe('mirrorLine', () => {
  it.each<[EndpointKind, string, string]>([
    ['image', 'ghcr.io/a/b:1', 'registry-mirrors: ghcr.io=mirror.example'],
    ['frontend', 'docker.io/docker/dockerfile:1', 'registry-mirrors: docker.io=mirror.example'],
    ['git', runc, 'git-mirrors: https://github.com/=https://mirror.example/'],
    ['http', 'https://get.example', 'download-mirrors: https://get.example/=https://mirror.example/'],
    ['apt', 'http://*/debian', 'apt-mirror: https://mirror.example'],
    ['apk', 'https://dl-cdn.alpinelinux.org/alpine', 'apk-mirror: https://mirror.example'],
    ['go', 'https://proxy.golang.org/', 'go-proxy: https://goproxy.example'],
    ['sumdb', 'https://sum.golang.org/', 'go-sumdb: sum.golang.org https://mirror.example'],
    ['pip', 'https://pypi.org/simple/', 'pip-index: https://mirror.example/simple'],
    ['gem', 'https://rubygems.org/', 'gem-source: https://mirror.example']
  ])('is for %s %s: %s', (kind, what, line) => {
    expect(mirrorLine(endpointAt(kind, what), networkWith())).toBe(line)
  })

  it('keeps the prefix of the rule that is in effect', () => {
    expect(mirrorLine(endpointAt('git', runc), mirrored)).toBe(
      'git-mirrors: https://github.com/opencontainers/=https://mirror.example/'
    )
  })
})

describe('permissionLine', () => {
  it.each<[EndpointKind, string, string]>([
    ['image', 'ghcr.io/a/b:1', 'registry-mirrors: ghcr.io=direct'],
    ['git', runc, 'git-mirrors: https://github.com/opencontainers/=direct'],
    ['http', 'https://far.example/x', 'download-mirrors: https://far.example/=direct'],
    ['http', '', 'download-mirrors: https://upstream.example/=direct'],
    ['apt', 'http://*/debian', 'apt-mirror: direct'],
    ['apk', 'https://dl-cdn.alpinelinux.org/alpine', 'apk-mirror: direct'],
    ['go', 'https://proxy.golang.org/', 'go-proxy: https://proxy.golang.org'],
    ['sumdb', 'https://sum.golang.org/', 'go-sumdb: sum.golang.org'],
    ['pip', 'https://pypi.org/simple/', 'pip-index: https://pypi.org/simple/'],
    ['gem', 'https://rubygems.org/', 'gem-source: https://rubygems.org/']
  ])('is for %s %s: %s', (kind, what, line) => {
    expect(permissionLine({kind, what}, mirrored)).toBe(line)
  })
})

describe('suggestedInput', () => {
  const finding = (state: Finding['state'], reason?: Finding['reason'], asked = 'https://far.example/'): Finding => ({
    state,
    detail: '',
    asked,
    ...(reason === undefined ? {} : {reason})
  })
  const proxies = {http: 'http://me:secret@proxy.example:3128', https: 'http://me:secret@proxy.example:3128'}

  it.each<[string, Finding, string]>([
    ['an unknown authority', finding('tls error', 'unknown authority'), 'ca-certificates: path/of/authority.pem'],
    [
      'a proxy that wants other credentials',
      finding('proxy denied', 'proxy login'),
      'https-proxy: http://user:password@proxy.example:3128'
    ],
    [
      'the same for plain HTTP',
      finding('proxy denied', 'proxy login', 'http://far.example/'),
      'http-proxy: http://user:password@proxy.example:3128'
    ],
    ['a proxy that refuses the host', finding('proxy denied', 'proxy denied'), 'no-proxy: far.example'],
    ['a dead proxy', finding('no answer', 'proxy unreachable'), 'https-proxy: http://proxy.example:3128'],
    ['anything else', finding('no answer', 'timeout'), 'git-mirrors: https://github.com/=https://mirror.example/']
  ])('is for %s', (_what, found, line) => {
    expect(suggestedInput(endpointAt('git', runc, {via: 'proxy'}), found, networkWith({proxies}))).toBe(line)
  })

  it('adds to the exceptions that there are', () => {
    const network = networkWith({proxies: {...proxies, none: 'near.example'}})
    const found = finding('proxy denied', 'proxy denied')
    expect(suggestedInput(endpointAt('git', runc, {via: 'proxy'}), found, network)).toBe(
      'no-proxy: near.example,far.example'
    )
  })

  it.each<[EndpointKind, string, string]>([
    ['image', 'docker.io/library/golang:1.24', 'registry-mirrors: docker.io=http://m.example/hub'],
    ['git', runc, 'git-mirrors: https://github.com/opencontainers/=http://m.example/oci/'],
    ['http', 'https://get.example/x', 'download-mirrors: https://get.example/=http://m.example/get/'],
    ['apt', 'http://*/debian', 'apt-mirror: http://m.example'],
    ['apk', 'https://dl-cdn.alpinelinux.org/alpine', 'apk-mirror: http://m.example'],
    ['go', 'https://proxy.golang.org/', 'go-proxy: http://m.example,direct'],
    ['sumdb', 'https://sum.golang.org/', 'go-sumdb: sum.golang.org http://m.example/sumdb'],
    ['pip', 'https://pypi.org/simple/', 'pip-index: http://m.example/simple'],
    ['gem', 'https://rubygems.org/', 'gem-source: http://m.example/gems']
  ])('is for a mirror that speaks plain HTTP its own line with http: %s', (kind, what, line) => {
    expect(suggestedInput(endpointAt(kind, what, {via: 'mirror'}), finding('tls error', 'no TLS'), mirrored)).toBe(line)
  })
})
