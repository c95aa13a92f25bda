import {describe, expect, it} from '@jest/globals'
import type {Network} from '../../../src/network/network.js'
import {primingOf} from '../../../src/network/primed-base.js'
import {networkWith} from '../../support/network.js'

const certificate = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n'
const rule = {from: 'https://a/', to: 'https://b/'}

/** The variables that steps find. */
function environment(network: Partial<Network>): Record<string, string> {
  const found = primingOf(networkWith(network)).flatMap(line => [...line.matchAll(/^ENV (\w+)="(.*)"$/g)])
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]))
}

describe('primingOf', () => {
  it('is no more than variables when those are enough', () => {
    expect(primingOf(networkWith({goProxy: 'https://p.example,direct', goSumdb: 'off'}))).toEqual([
      'ENV GOPROXY="https://p.example,direct"',
      'ENV GOSUMDB="off"'
    ])
  })

  it('is one layer for all that is changed in files, on one line', () => {
    const files = {
      aptMirror: 'http://m',
      apkMirror: 'http://m',
      gitMirrors: [rule],
      downloadMirrors: [rule],
      certificates: certificate + certificate
    }
    const steps = primingOf(networkWith(files)).filter(line => !line.startsWith('ENV'))
    expect(steps).toEqual([expect.stringMatching(/^RUN \["\/bin\/sh","-c","set -e\\n.*"\]$/)])
  })

  it('has no line that is too long for BuildKit, however many certificates there are', () => {
    const long = certificate.replace('MII=', 'A'.repeat(2000))
    const steps = primingOf(networkWith({certificates: long.repeat(100)})).filter(line => line.startsWith('RUN'))
    expect(steps.length).toBeGreaterThan(5)
    for (const step of steps) expect(step.length).toBeLessThan(40 * 1024)
    for (const step of steps) expect(step).toContain('"set -e\\n')
    expect(steps.join('').match(/build-moby-\d+\.crt/g)).toHaveLength(100)
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
    const text = (network: Partial<Network>) => primingOf(networkWith({strict: true, ...network})).join()
    expect(text({direct})).toContain('DIRECT')
    expect(text({})).not.toContain('DIRECT')
    expect(text({direct, proxies})).not.toContain('DIRECT')
    expect(text({direct, clientProxies: proxies})).not.toContain('DIRECT')
    expect(text({direct, aptMirror: 'http://m'})).not.toContain('DIRECT')
  })

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
  ])('is something for %j', network => {
    expect(primingOf(networkWith(network))).not.toEqual([])
  })

  it.each<Partial<Network>>([
    {},
    {registryMirrors: [{registry: 'docker.io', host: 'm.example', path: '', scheme: 'https'}]},
    {proxies: {http: 'http://proxy:1'}}
  ])('is nothing for %j, which no base image knows of', network => {
    expect(primingOf(networkWith(network))).toEqual([])
  })
})
