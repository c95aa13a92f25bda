import {afterAll, afterEach, beforeAll, describe, expect, it} from '@jest/globals'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import type {CertificateAuthority} from '../../sandbox/certificate-authority.js'
import {startForwardProxy} from '../../sandbox/forward-proxy.js'
import {httpProber} from '../../src/adapters/http-prober.js'
import type {Probe, ProbeResult} from '../../src/ports.js'
import {deadHost, type Handler, serve, serveProxy} from '../support/loopback.js'
import {serveRaw} from '../support/raw-loopback.js'
import {privateAuthority, serveSecurely} from '../support/secure-loopback.js'

const running: {stop(): Promise<void>}[] = []
const started = async <Server extends {stop(): Promise<void>}>(starting: Promise<Server>): Promise<Server> => {
  const server = await starting
  running.push(server)
  return server
}
const get = (url: string, options: Partial<Probe> = {}, environment = {}): Promise<ProbeResult> =>
  httpProber(environment).get({url, timeoutMilliseconds: 5000, ...options})
const hello: Handler = (_request, response) => response.end('hello')

let authority: CertificateAuthority

beforeAll(async () => {
  authority = await privateAuthority()
}, 120_000)

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

afterAll(async () => {
  await authority.remove()
})

describe('httpProber tells apart', () => {
  it('a name that nobody knows', async () => {
    expect(await get('http://nobody.invalid/')).toMatchObject({reason: 'unknown host'})
  })

  it.each(['http', 'https'])('a server that closes the connection (%s)', async scheme => {
    const {host} = await started(serveRaw(socket => socket.destroy()))
    expect(await get(`${scheme}://${host}/`)).toMatchObject({reason: 'connection lost'})
  })

  it.each([
    ['http', 'no HTTP'],
    ['https', 'no TLS']
  ])('a server that speaks neither HTTP nor TLS (%s)', async (scheme, reason) => {
    const {host} = await started(serveRaw(socket => socket.write('220 mail.example ESMTP\r\n')))
    expect(await get(`${scheme}://${host}/`)).toMatchObject({reason})
  })
})

describe('httpProber over TLS', () => {
  it('trusts no authority that it was not told of', async () => {
    const {port} = await started(serveSecurely(hello, authority))
    expect(await get(`https://localhost:${port}/`)).toMatchObject({reason: 'unknown authority'})
  })

  it('trusts the authorities of the request', async () => {
    const {port} = await started(serveSecurely(hello, authority))
    const {certificate: certificates} = authority
    expect(await get(`https://localhost:${port}/`, {certificates})).toMatchObject({body: 'hello'})
  })

  it('trusts those of NODE_EXTRA_CA_CERTS besides', async () => {
    const {port} = await started(serveSecurely(hello, authority))
    const other = await started(privateAuthority().then(made => ({...made, stop: () => made.remove()})))
    const environment = {NODE_EXTRA_CA_CERTS: authority.certificateFile}
    const options = {certificates: other.certificate}
    expect(await get(`https://localhost:${port}/`, options)).toMatchObject({reason: 'unknown authority'})
    expect(await get(`https://localhost:${port}/`, options, environment)).toMatchObject({body: 'hello'})
  })

  it('goes on without a NODE_EXTRA_CA_CERTS that cannot be read', async () => {
    const {port} = await started(serveSecurely(hello, authority))
    const environment = {NODE_EXTRA_CA_CERTS: `${authority.certificateFile}.missing`}
    const {certificate: certificates} = authority
    expect(await get(`https://localhost:${port}/`, {certificates}, environment)).toMatchObject({body: 'hello'})
  })

  it("tells of another host's certificate", async () => {
    const {port} = await started(serveSecurely(hello, authority, 'mirror.example'))
    const {certificate: certificates} = authority
    expect(await get(`https://localhost:${port}/`, {certificates})).toMatchObject({reason: 'wrong host'})
  })

  it.each([
    ['localhost', {body: 'hello'}],
    ['mirror.example', {reason: 'wrong host'}]
  ])('does the same through a proxy: a certificate of %s', async (name, expected) => {
    const {port} = await started(serveSecurely(hello, authority, name))
    const proxy = await started(serveProxy())
    const options = {proxy: `http://${proxy.host}`, certificates: authority.certificate}
    expect(await get(`https://localhost:${port}/`, options)).toMatchObject(expected)
    expect(proxy.requests).toEqual([`CONNECT localhost:${port}`])
  })

  it('speaks TLS to a proxy that wants it, and trusts the same authorities there', async () => {
    const proxy = await started(
      serveSecurely((request, response) => response.end(`proxied ${request.url ?? ''}`), authority)
    )
    const options = {proxy: `https://localhost:${proxy.port}`}
    const {certificate: certificates} = authority
    expect(await get('http://far.invalid/path', {...options, certificates})).toMatchObject({
      body: 'proxied http://far.invalid/path'
    })
    expect(await get('http://far.invalid/path', options)).toMatchObject({reason: 'unknown authority'})
  })
})

describe('httpProber through tinyproxy', () => {
  const proxy = async (credentials?: {username: string; password: string}) =>
    await started(
      startForwardProxy({
        addresses: ['127.0.0.1'],
        cacheDirectory: sandboxCacheDirectory(process.env),
        log: () => undefined,
        ...(credentials === undefined ? {} : {credentials})
      })
    )
  const secret = {username: 'me', password: 'pass'}

  it.each(['http', 'https'])('reads that it wants credentials (%s)', async scheme => {
    const {port} = await proxy(secret)
    const result = await get(`${scheme}://far.invalid/`, {proxy: `http://127.0.0.1:${port}`})
    expect(result).toMatchObject({failure: expect.stringContaining('407'), reason: 'proxy login'})
  })

  it('reads that it cannot connect', async () => {
    const {port} = await proxy(secret)
    const result = await get('https://far.invalid/', {proxy: `http://me:pass@127.0.0.1:${port}`})
    expect(result).toEqual({failure: 'the proxy answered 500 Unable to connect', reason: 'proxy failed'})
  })

  it('passes', async () => {
    const {host} = await started(serve(hello))
    const {port} = await proxy(secret)
    expect(await get(`http://${host}/`, {proxy: `http://me:pass@127.0.0.1:${port}`})).toMatchObject({body: 'hello'})
  })
})

describe('httpProber leaves no connection open', () => {
  it.each(['http', 'https'])('to a server that never answers (%s)', async scheme => {
    const hole = await started(serveRaw())
    await get(`${scheme}://${hole.host}/`, {timeoutMilliseconds: 100})
    await expect(closed(hole)).resolves.toBe(0)
  })

  it('to a server whose answer it has cut', async () => {
    const endless = await started(serveRaw(socket => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1024 * 1024)}`)))
    expect(await get(`http://${endless.host}/`)).toMatchObject({status: 200})
    await expect(closed(endless)).resolves.toBe(0)
  })

  it.each(['http', 'https'])('to a proxy that never answers (%s)', async scheme => {
    const hole = await started(serveRaw())
    const result = await get(`${scheme}://far.invalid/`, {proxy: `http://${hole.host}`, timeoutMilliseconds: 100})
    expect(result).toMatchObject({reason: 'timeout'})
    await expect(closed(hole)).resolves.toBe(0)
  })

  it('through a proxy whose other end never answers', async () => {
    const hole = await started(serveRaw())
    const proxy = await started(serveProxy())
    await get(`https://${hole.host}/`, {proxy: `http://${proxy.host}`, timeoutMilliseconds: 200})
    await expect(closed(hole)).resolves.toBe(0)
  })

  it('says of a proxy that is not there that it is the proxy', async () => {
    const dead = await deadHost()
    expect(await get('https://far.invalid/', {proxy: `http://${dead}`})).toMatchObject({reason: 'proxy unreachable'})
  })

  /** Connections that stay open, after a moment for the other end to notice. */
  async function closed(server: {open(): number}): Promise<number> {
    for (let turns = 0; turns < 1000 && server.open() > 0; turns++) await new Promise(resolve => setImmediate(resolve))
    return server.open()
  }
})
