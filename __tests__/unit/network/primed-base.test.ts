import {describe, expect, it} from '@jest/globals'
import type {Network} from '../../../src/network/network.js'
import {isPriming, primedDockerfile} from '../../../src/network/primed-base.js'
import {networkWith} from '../../support/network.js'

const certificate = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n'
const rule = {from: 'https://a/', to: 'https://b/'}

/** What `network` makes of an image: the instructions, without their here-documents. */
function instructions(network: Partial<Network>): string[] {
  return primedDockerfile('debian:12', networkWith(network)).match(/^[A-Z]+ .*$/gm) ?? []
}

/** The variables that steps find. */
function environment(network: Partial<Network>): Record<string, string> {
  const variables = primedDockerfile('debian:12', networkWith(network)).matchAll(/^ENV (\w+)="(.*)"$/gm)
  return Object.fromEntries([...variables].map(([, name = '', value = '']) => [name, value]))
}

describe('primedDockerfile', () => {
  it('is the image itself on the platform that the tree wants it for', () => {
    const from = (...platform: [] | [string]) =>
      primedDockerfile('golang:1.24', networkWith({goProxy: 'off'}), ...platform).split('\n')[0]
    expect(from()).toBe('FROM --platform=$TARGETPLATFORM golang:1.24')
    expect(from('$BUILDPLATFORM')).toBe('FROM --platform=$BUILDPLATFORM golang:1.24')
  })

  it('is no more than its environment when that is enough', () => {
    expect(primedDockerfile('golang:1.24', networkWith({goProxy: 'https://p.example,direct', goSumdb: 'off'}))).toBe(
      'FROM --platform=$TARGETPLATFORM golang:1.24\nENV GOPROXY="https://p.example,direct"\nENV GOSUMDB="off"\n'
    )
  })

  it('is one layer for all that is changed in files, and one for certificates', () => {
    expect(
      instructions({
        aptMirror: 'http://m',
        apkMirror: 'http://m',
        gitMirrors: [rule],
        downloadMirrors: [rule],
        certificates: certificate + certificate
      }).filter(line => !line.startsWith('ENV'))
    ).toEqual([
      'FROM --platform=$TARGETPLATFORM debian:12',
      "COPY <<'build-moby-1.crt' <<'build-moby-2.crt' /usr/local/share/ca-certificates/",
      "RUN <<'END'"
    ])
  })

  it('means the values as they are', () => {
    expect(environment({goProxy: String.raw`https://p/"$HOME\x'%`})).toEqual({
      GOPROXY: String.raw`https://p/\"\$HOME\\x'%`
    })
  })

  it.each<[string, Partial<Network>, Record<string, string>]>([
    ['an index by HTTPS', {pipIndex: 'https://p/simple'}, {PIP_INDEX_URL: 'https://p/simple'}],
    [
      'an index by plain HTTP, which pip must be told to trust',
      {pipIndex: 'http://p:8080/simple'},
      {PIP_INDEX_URL: 'http://p:8080/simple', PIP_TRUSTED_HOST: 'p'}
    ],
    ['a gem source', {gemSource: 'https://g/'}, {GEMRC: '/etc/gemrc', BUNDLE_MIRROR__ALL: 'https://g/'}],
    ['strictness', {strict: true}, {GIT_ALLOW_PROTOCOL: 'file:http:https', ftp_proxy: 'http://127.0.0.1:9'}],
    [
      'certificates, for what does not read the bundle by itself',
      {certificates: certificate},
      Object.fromEntries(
        ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'].map(name => [
          name,
          '/etc/ssl/certs/ca-certificates.crt'
        ])
      )
    ]
  ])('has variables for %s', (_what, network, variables) => {
    expect(environment(network)).toEqual(variables)
  })

  it('lets apt go directly under strict only if that is permitted, no mirror is there and no proxy', () => {
    const direct = {...networkWith().direct, apt: true}
    const proxies = {http: 'http://proxy:1', https: 'http://proxy:1'}
    const text = (network: Partial<Network>) => primedDockerfile('debian:12', networkWith({strict: true, ...network}))
    expect(text({direct})).toContain('DIRECT')
    expect(text({})).not.toContain('DIRECT')
    expect(text({direct, proxies})).not.toContain('DIRECT')
    expect(text({direct, clientProxies: proxies})).not.toContain('DIRECT')
    expect(text({direct, aptMirror: 'http://m'})).not.toContain('DIRECT')
  })
})

describe('isPriming', () => {
  it.each<Partial<Network>>([
    {aptMirror: 'http://m.example'},
    {apkMirror: 'http://m.example'},
    {gitMirrors: [rule]},
    {downloadMirrors: [rule]},
    {goProxy: 'off'},
    {goSumdb: 'off'},
    {pipIndex: 'https://p/simple'},
    {gemSource: 'https://g/'},
    {certificates: certificate},
    {strict: true}
  ])('holds for %j', network => {
    expect(isPriming(networkWith(network))).toBe(true)
  })

  it.each<Partial<Network>>([
    {},
    {registryMirrors: [{registry: 'docker.io', host: 'm.example', path: '', scheme: 'https'}]},
    {proxies: {http: 'http://proxy:1'}}
  ])('does not hold for %j, which no base image knows of', network => {
    expect(isPriming(networkWith(network))).toBe(false)
  })
})
