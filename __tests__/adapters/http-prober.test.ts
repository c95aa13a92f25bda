import {afterEach, describe, expect, it} from '@jest/globals'
import {httpProber} from '../../src/adapters/http-prober.js'
import type {Probe, ProbeResult} from '../../src/ports.js'
import {deadHost, type Handler, type LoopbackServer, serve, serveProxy} from '../support/loopback.js'

const running: LoopbackServer[] = []
const started = async (server: Promise<LoopbackServer>): Promise<LoopbackServer> => {
  running.push(await server)
  return await server
}
const get = (url: string, options: Partial<Probe> = {}): Promise<ProbeResult> =>
  httpProber().get({url, timeoutMilliseconds: 5000, ...options})
const hello: Handler = (_request, response) => response.writeHead(200, {'X-Word': 'yes'}).end('hello')

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

describe('httpProber', () => {
  it('brings status, headers by their names in small letters, and body', async () => {
    const {host} = await started(serve(hello))
    expect(await get(`http://${host}/`)).toMatchObject({status: 200, headers: {'x-word': 'yes'}, body: 'hello'})
  })

  it('sends path, query and headers', async () => {
    const {host, requests} = await started(
      serve((request, response) =>
        response.end(`${request.headers.accept ?? ''} ${request.headers.authorization ?? ''}`)
      )
    )
    const headers = {Accept: 'text/a, text/b', Authorization: 'Bearer t'}
    expect(await get(`http://${host}/v2/?a=b`, {headers})).toMatchObject({body: 'text/a, text/b Bearer t'})
    expect(requests).toEqual(['GET /v2/?a=b'])
  })

  it('asks for the head alone', async () => {
    const {host, requests} = await started(serve(hello))
    expect(await get(`http://${host}/`, {method: 'HEAD'})).toMatchObject({status: 200, body: ''})
    expect(requests).toEqual(['HEAD /'])
  })

  it('follows no redirect', async () => {
    const {host} = await started(serve((_request, response) => response.writeHead(307, {Location: '/there'}).end()))
    expect(await get(`http://${host}/`)).toMatchObject({status: 307, headers: {location: '/there'}})
  })

  it('cuts a long body after 64 KiB', async () => {
    const {host} = await started(serve((_request, response) => response.end(Buffer.alloc(1024 * 1024, 'x'))))
    const result = await get(`http://${host}/`)
    expect('body' in result ? result.body.length : result).toBe(64 * 1024)
  })

  it('tells who does not answer', async () => {
    const host = await deadHost()
    expect(await get(`http://${host}/`)).toEqual({
      failure: expect.stringContaining(`connect ECONNREFUSED ${host}`),
      reason: 'connection refused'
    })
  })

  it('tells it once for each address of a host', async () => {
    const port = (await deadHost()).replace(/.*:/, '')
    const result = await get(`http://localhost:${port}/`)
    expect(result).toMatchObject({failure: expect.stringMatching(/^connect ECONNREFUSED [^ ]+(; connect [A-Z]+ .*)?$/)})
  })

  it('tells of a server that speaks no TLS', async () => {
    const {host} = await started(serve(hello))
    expect(await get(`https://${host}/`)).toEqual({failure: 'wrong version number', reason: 'no TLS'})
  })

  it('gives up after the time it was given', async () => {
    const {host} = await started(serve(() => undefined))
    expect(await get(`http://${host}/`, {timeoutMilliseconds: 50})).toEqual({
      failure: 'no answer within 0.05 s',
      reason: 'timeout'
    })
  })

  it('gives up on a body that never ends, too', async () => {
    const {host} = await started(serve((_request, response) => response.write('a')))
    expect(await get(`http://${host}/`, {timeoutMilliseconds: 100})).toMatchObject({reason: 'timeout'})
  })
})

describe('httpProber through a proxy', () => {
  it('asks for plain HTTP in the absolute form, as curl does', async () => {
    const {host} = await started(serve(hello))
    const proxy = await started(serveProxy())
    expect(await get(`http://${host}/path`, {proxy: `http://${proxy.host}`})).toMatchObject({body: 'hello'})
    expect(proxy.requests).toEqual([`GET http://${host}/path`])
  })

  it('asks for HTTPS with CONNECT', async () => {
    const {host} = await started(serve(hello))
    const proxy = await started(serveProxy())
    await get(`https://${host}/`, {proxy: `http://${proxy.host}`})
    expect(proxy.requests).toEqual([`CONNECT ${host}`])
  })

  it.each([
    ['me:pass', 'me:pass'],
    ['me:p%40s%3As', 'me:p@s:s'],
    ['me:100%', 'me:100%'],
    ['token', 'token:'],
    [':pass', ':pass']
  ])('sends the credentials %s as %s', async (userinfo, credentials) => {
    const {host} = await started(serve(hello))
    const proxy = await started(serveProxy(credentials))
    expect(await get(`http://${host}/`, {proxy: `http://${userinfo}@${proxy.host}`})).toMatchObject({status: 200})
  })

  it.each(['http', 'https'])('says 407 when the proxy wants other credentials for %s', async scheme => {
    const {host} = await started(serve(hello))
    const proxy = await started(serveProxy('me:pass'))
    const result = await get(`${scheme}://${host}/`, {proxy: `http://me:wrong@${proxy.host}`})
    expect(result).toEqual({failure: expect.stringContaining('407'), reason: 'proxy login'})
    expect(JSON.stringify(result)).not.toContain('wrong')
  })

  it('tells of a proxy that is not there', async () => {
    const {host} = await started(serve(hello))
    const dead = await deadHost()
    expect(await get(`http://${host}/`, {proxy: `http://${dead}`})).toEqual({
      failure: expect.stringContaining(`ECONNREFUSED ${dead}`),
      reason: 'proxy unreachable'
    })
  })

  it.each(['not a proxy', 'socks5://127.0.0.1:1'])('answers with a failure for the proxy %j', async proxy => {
    expect(await get('http://127.0.0.1:1/', {proxy})).toEqual({
      failure: expect.any(String),
      reason: 'proxy unreachable'
    })
  })
})
