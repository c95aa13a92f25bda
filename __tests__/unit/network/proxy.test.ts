import {describe, expect, it} from '@jest/globals'
import {
  isInNetwork,
  isLoopbackHost,
  proxiesFromEnvironment,
  proxyEnvironment,
  proxyFor,
  proxyUrl
} from '../../../src/network/proxy.js'

const http = 'http://proxy.example:3128'
const https = 'http://proxy.example:3129'
const through = (url: string, none?: string) => proxyFor(url, {http, https, ...(none === undefined ? {} : {none})})

describe('proxyFor', () => {
  it.each([
    ['http://example.com/', http],
    ['HTTPS://example.com/', https],
    ['https://example.com:8443/', https],
    ['ssh://git@example.com/a', undefined],
    ['git://example.com/a', undefined],
    ['git@example.com:a/b', undefined],
    ['file:///srv/git', undefined],
    ['/srv/git', undefined]
  ])('sends %s through %s', (url, proxy) => {
    expect(through(url)).toBe(proxy)
  })

  it('is direct when the scheme has no proxy', () => {
    expect(proxyFor('http://example.com/', {https})).toBeUndefined()
    expect(proxyFor('https://example.com/', {http})).toBeUndefined()
  })

  it.each(['http://localhost:5000/', 'http://127.0.0.1/', 'https://127.8.9.10/', 'http://[::1]:5000/'])(
    'is always direct for this machine: %s',
    url => {
      expect(through(url)).toBeUndefined()
    }
  )

  // golang.org/x/net/http/httpproxy, the table of its tests where it has one.
  it.each([
    ['*', 'https://example.com/', true],
    ['example.com', 'https://example.com/', true],
    ['example.com', 'https://www.example.com/', true],
    ['EXAMPLE.com', 'https://www.Example.COM/', true],
    ['example.com', 'https://badexample.com/', false],
    ['.example.com', 'https://www.example.com/', true],
    ['.example.com', 'https://example.com/', false],
    ['*.example.com', 'https://www.example.com/', true],
    ['*.example.com', 'https://example.com/', false],
    ['other.example', 'https://example.com/', false],
    [' other.example , example.com ', 'https://example.com/', true],
    [',,', 'https://example.com/', false],
    ['example.com:443', 'https://example.com/', true],
    ['example.com:80', 'https://example.com/', false],
    ['example.com:80', 'http://example.com/', true],
    ['example.com:8080', 'http://example.com:8080/', true],
    ['.example.com:8080', 'http://www.example.com:8080/', true],
    ['10.0.0.1', 'http://10.0.0.1/', true],
    ['10.0.0.1', 'http://10.0.0.10/', false],
    ['10.0.0.1:5000', 'http://10.0.0.1:5000/', true],
    ['10.0.0.1:5000', 'http://10.0.0.1:5001/', false],
    ['10.0.0.0/8', 'http://10.200.3.4:5000/', true],
    ['10.0.0.0/8', 'http://11.0.0.1/', false],
    ['10.0.0.0/8', 'http://ten.example/', false],
    ['fd00::1', 'http://[fd00::1]/', true],
    ['[fd00::1]', 'http://[fd00::1]/', true],
    ['[fd00::1]:5000', 'http://[fd00::1]:5000/', true],
    ['[fd00::1]:5000', 'http://[fd00::1]/', false]
  ])('NO_PROXY=%j makes %s direct: %s', (none, url, direct) => {
    expect(through(url, none) === undefined).toBe(direct)
  })
})

describe('isInNetwork', () => {
  it.each([
    ['10.213.0.1', '10.213.0.0/24', true],
    ['10.213.1.1', '10.213.0.0/24', false],
    ['10.213.0.77', '10.213.0.1/24', true],
    ['1.2.3.4', '0.0.0.0/0', true],
    ['255.255.255.255', '255.255.255.255/32', true],
    ['1.2.3.4', '1.2.3.5/32', false],
    ['1.2.3.4', '1.2.3.0/33', false],
    ['1.2.3.4', '1.2.3.0/', false],
    ['1.2.3.256', '1.2.3.0/24', false],
    ['mirror.example', '0.0.0.0/0', false],
    ['::1', '::1/128', false]
  ])('%s in %s: %s', (host, network, inside) => {
    expect(isInNetwork(host, network)).toBe(inside)
  })
})

describe('isLoopbackHost', () => {
  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['[::1]', true],
    ['128.0.0.1', false],
    ['127.example.com', false],
    ['localhost.example', false]
  ])('%s: %s', (host, loopback) => {
    expect(isLoopbackHost(host)).toBe(loopback)
  })
})

describe('proxiesFromEnvironment', () => {
  it.each([
    [{}, {}],
    [{http_proxy: '', HTTPS_PROXY: ' '}, {}],
    [{http_proxy: 'http://a', HTTP_PROXY: 'http://b'}, {http: 'http://a'}],
    [{http_proxy: '', HTTP_PROXY: 'http://b'}, {http: 'http://b'}],
    [
      {HTTPS_PROXY: 'me:pass@b:1', NO_PROXY: 'c'},
      {https: 'http://me:pass@b:1', none: 'c'}
    ]
  ])('reads %j as %j', (environment, settings) => {
    expect(proxiesFromEnvironment(environment)).toEqual(settings)
  })

  it('reads back what proxyEnvironment gives to a child', () => {
    const settings = {http, https, none: 'localhost,.example.com'}
    const variables = proxyEnvironment(settings)
    expect(Object.keys(variables).sort()).toEqual([
      'HTTPS_PROXY',
      'HTTP_PROXY',
      'NO_PROXY',
      'http_proxy',
      'https_proxy',
      'no_proxy'
    ])
    expect(proxiesFromEnvironment(variables)).toEqual(settings)
    expect(proxyEnvironment({})).toEqual({})
  })
})

describe('proxyUrl', () => {
  it.each([
    ['', ''],
    ['proxy:3128', 'http://proxy:3128'],
    ['me:pass@proxy:3128', 'http://me:pass@proxy:3128'],
    ['https://proxy', 'https://proxy'],
    ['socks5://proxy', 'socks5://proxy']
  ])('makes %j %j', (proxy, url) => {
    expect(proxyUrl(proxy)).toBe(url)
  })
})
