import {afterEach, describe, expect, it} from '@jest/globals'
import {httpProber} from '../../../src/adapters/http-prober.js'
import {ConfigurationError} from '../../../src/errors.js'
import {parseImageReference} from '../../../src/network/images.js'
import type {RegistryMirror} from '../../../src/network/network.js'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {mirroredName, mirrorHasImage, surveyMirrors} from '../../../src/network/survey-mirrors.js'
import type {Prober} from '../../../src/ports.js'
import {deadHost, type Handler, type LoopbackServer, serve, serveProxy} from '../../support/loopback.js'
import {memoryLog} from '../../support/memory.js'

const running: LoopbackServer[] = []
const started = async (server: Promise<LoopbackServer>): Promise<LoopbackServer> => {
  running.push(await server)
  return await server
}
const mirror = (host: string, parts: Partial<RegistryMirror> = {}): RegistryMirror => ({
  registry: 'docker.io',
  host,
  path: '',
  ...parts
})
const answering =
  (status: number): Handler =>
  (_request, response) =>
    response.writeHead(status).end()

async function survey(
  mirrors: readonly RegistryMirror[],
  proxies: ProxySettings = {},
  prober: Prober = httpProber(),
  registries: readonly string[] = []
) {
  const log = memoryLog()
  const reachable = await surveyMirrors(mirrors, {proxies, direct: {registries}}, {prober, log})
  return {reachable, lines: log.lines}
}

/** A network in which only these URLs answer. */
function network(answers: Readonly<Record<string, number>>): Prober & {readonly asked: string[]} {
  const asked: string[] = []
  return {
    asked,
    get: ({url, proxy}) => {
      asked.push(url)
      const status = answers[url]
      if (status === undefined) return Promise.resolve({failure: `no route to ${url}`, reason: 'other'})
      return Promise.resolve({status, headers: {}, body: proxy ?? ''})
    }
  }
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

describe('surveyMirrors', () => {
  it('has nothing to say without mirrors', async () => {
    expect(await survey([])).toEqual({reachable: [], lines: []})
  })

  it.each([200, 401])('takes the first mirror that answers as a registry (%d), and asks no further', async status => {
    const one = await started(serve(answering(status)))
    const two = await started(serve(answering(200)))
    const {reachable, lines} = await survey([mirror(one.host, {path: 'hub'}), mirror(two.host)])
    expect(reachable).toEqual([{registry: 'docker.io', host: one.host, path: 'hub', scheme: 'http'}])
    expect(lines).toEqual([])
    expect(one.requests).toEqual(['GET /v2/'])
    expect(two.requests).toEqual([])
  })

  it('skips a dead mirror and one that is no registry, with a warning each', async () => {
    const dead = await deadHost()
    const page = await started(serve(answering(404)))
    const good = await started(serve(answering(200)))
    const {reachable, lines} = await survey([dead, page.host, good.host].map(host => mirror(host)))
    expect(reachable.map(({host}) => host)).toEqual([good.host])
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^warning: Skipped a mirror of docker.io .*${dead}: .*ECONNREFUSED`)),
      expect.stringContaining(`${page.host}: http://${page.host}/v2/ answered 404`)
    ])
  })

  it('skips a captive portal, which answers everything with a page', async () => {
    const portal = await started(
      serve((_request, response) => response.writeHead(200, {'Content-Type': 'text/html; charset=utf-8'}).end())
    )
    const good = await started(serve(answering(200)))
    const {reachable, lines} = await survey([portal.host, good.host].map(host => mirror(host, {scheme: 'http'})))
    expect(reachable.map(({host}) => host)).toEqual([good.host])
    expect(lines).toEqual([expect.stringContaining(`http://${portal.host}/v2/ is a web page and no registry`)])
    await expect(survey([mirror(portal.host)])).rejects.toThrow(
      "'registry-mirrors' that begin with docker.io=, or the 'mirror-preset'"
    )
  })

  it('finds one mirror for each registry', async () => {
    const {host} = await started(serve(answering(200)))
    const {reachable} = await survey([mirror(host, {registry: 'ghcr.io'}), mirror(host), mirror('dead.invalid')])
    expect(reachable.map(({registry}) => registry)).toEqual(['ghcr.io', 'docker.io'])
  })

  it('fails when no mirror of a registry answers, naming the input, and each mirror with its answer', async () => {
    const dead = await deadHost()
    const broken = await started(serve(answering(500)))
    const failing = survey([mirror(dead, {path: 'hub', scheme: 'http'}), mirror(broken.host, {scheme: 'http'})])
    await expect(failing).rejects.toThrow(ConfigurationError)
    await expect(failing).rejects.toThrow(
      new RegExp(
        `^no mirror of docker.io .*\n  - ${dead}/hub: .*ECONNREFUSED.*\n  - ${broken.host}: http://${broken.host}/v2/ answered 500\n.*'registry-mirrors'`
      )
    )
  })

  it('leaves the registry itself, with a warning, where that is permitted and no mirror answers', async () => {
    const dead = await deadHost()
    const {reachable, lines} = await survey([mirror(dead)], {}, httpProber(), ['docker.io'])
    expect(reachable).toEqual([])
    expect(lines).toEqual([
      expect.stringContaining(`warning: Skipped a mirror of docker.io from 'registry-mirrors': ${dead}`),
      'warning: No mirror of docker.io answers, so its images come from docker.io itself (docker.io=direct).'
    ])
  })

  it('asks once more before it gives up on a mirror that may just have been out of reach', async () => {
    let asked = 0
    const shaky = await started(
      serve((request, response) => {
        asked += 1
        if (asked === 1) request.socket.destroy()
        else response.writeHead(200).end()
      })
    )
    const broken = await started(serve(answering(404)))
    const {reachable, lines} = await survey([shaky.host, broken.host].map(host => mirror(host, {scheme: 'http'})))
    expect(reachable).toEqual([mirror(shaky.host, {scheme: 'http'})])
    expect(lines).toEqual([expect.stringContaining(broken.host)])
    expect(broken.requests).toHaveLength(1)
  })

  it.each([
    ['mirror.example', {}, ['https://mirror.example/v2/', 'http://mirror.example/v2/']],
    ['127.0.0.1:5000', {}, ['http://127.0.0.1:5000/v2/', 'https://127.0.0.1:5000/v2/']],
    ['[::1]:5000', {}, ['http://[::1]:5000/v2/', 'https://[::1]:5000/v2/']],
    ['mirror.example', {scheme: 'http'}, ['http://mirror.example/v2/']],
    ['127.0.0.1:5000', {scheme: 'https'}, ['https://127.0.0.1:5000/v2/']]
  ] as const)('tries for %s with %j: %j', async (host, parts, asked) => {
    const nothing = network({})
    await expect(survey([mirror(host, parts)], {}, nothing)).rejects.toThrow('no route to')
    expect(nothing.asked).toEqual(asked)
  })

  it.each(['http', 'https'] as const)('notices that a mirror speaks %s', async scheme => {
    const {reachable} = await survey([mirror('m.example')], {}, network({[`${scheme}://m.example/v2/`]: 200}))
    expect(reachable).toEqual([{...mirror('m.example'), scheme}])
  })
})

describe('surveyMirrors behind a proxy', () => {
  // Under the name of no machine: only the proxy knows it as the loopback address.
  const named = mirror('mirror.invalid:5000', {scheme: 'http'})

  it('goes through it, with its credentials', async () => {
    const proxy = await started(
      serve((request, response) => {
        const expected = `Basic ${Buffer.from('me:pass').toString('base64')}`
        response.writeHead(request.headers['proxy-authorization'] === expected ? 200 : 407).end()
      })
    )
    const {reachable} = await survey([named], {http: `http://me:pass@${proxy.host}`})
    expect(reachable).toEqual([named])
    expect(proxy.requests).toEqual(['GET http://mirror.invalid:5000/v2/'])
  })

  it('names it in a failure, without its credentials', async () => {
    const proxy = await started(serveProxy('me:pass'))
    const failing = survey([named], {http: `http://me:wrong@${proxy.host}`})
    await expect(failing).rejects.toThrow(`(through the proxy http://${proxy.host})`)
    await expect(failing).rejects.not.toThrow(/wrong/)
  })

  it('leaves it out for a mirror that NO_PROXY covers', async () => {
    const asked = network({'http://mirror.invalid:5000/v2/': 200})
    await survey(
      [named],
      {http: 'http://proxy.example', none: 'mirror.invalid'},
      {
        get: probe => {
          expect(probe.proxy).toBeUndefined()
          return asked.get(probe)
        }
      }
    )
    expect(asked.asked).toHaveLength(1)
  })
})

describe('mirrorHasImage', () => {
  const frontend = parseImageReference('docker/dockerfile:1')
  const asks = (host: string, path = '') =>
    mirrorHasImage({registry: 'docker.io', host, path, scheme: 'http'}, frontend, {proxies: {}}, httpProber())

  it.each([
    [200, true],
    [404, false],
    [403, undefined],
    [500, undefined]
  ])('answers for status %d: %s', async (status, has) => {
    const {host, requests} = await started(serve(answering(status)))
    expect(await asks(host, 'hub')).toBe(has)
    expect(requests).toEqual(['HEAD /v2/hub/docker/dockerfile/manifests/1'])
  })

  it('does not know when a page is what answers', async () => {
    const {host} = await started(
      serve((_request, response) => response.writeHead(200, {'Content-Type': 'text/html'}).end())
    )
    expect(await asks(host)).toBeUndefined()
  })

  it('does not know when nobody answers', async () => {
    expect(await asks(await deadHost())).toBeUndefined()
  })

  it('asks for the manifest itself where heads are not given out', async () => {
    const {host} = await started(
      serve(({method}, response) => response.writeHead(method === 'HEAD' ? 405 : 200).end('{}'))
    )
    expect(await asks(host)).toBe(true)
  })

  it('asks by digest where there is one', async () => {
    const {host, requests} = await started(serve(answering(200)))
    const image = parseImageReference(`golang@sha256:${'0'.repeat(64)}`)
    await mirrorHasImage({registry: 'docker.io', host, path: '', scheme: 'http'}, image, {proxies: {}}, httpProber())
    expect(requests).toEqual([`HEAD /v2/library/golang/manifests/sha256:${'0'.repeat(64)}`])
  })

  it.each(['token', 'access_token'])('fetches an anonymous %s where the mirror wants one', async name => {
    const {host, requests} = await started(
      serve((request, response) => {
        const {url = '', headers} = request
        if (url.startsWith('/token')) response.end(JSON.stringify({expires_in: 300, [name]: 'abc'}))
        else if (headers.authorization === 'Bearer abc') response.end('{}')
        else {
          const realm = `http://${headers.host ?? ''}/token?account=none`
          response.writeHead(401, {'WWW-Authenticate': `Bearer realm="${realm}",service="m.example"`}).end()
        }
      })
    )
    expect(await asks(host)).toBe(true)
    expect(requests[1]).toBe('GET /token?account=none&service=m.example&scope=repository%3Adocker%2Fdockerfile%3Apull')
  })

  it.each([
    ['a password', 'Basic realm="Registry"'],
    ['a token of nobody', 'Bearer realm="http://127.0.0.1:1/token"'],
    ['nobody knows what', '']
  ])('does not know when the mirror wants %s', async (_what, challenge) => {
    const {host} = await started(
      serve((_request, response) => response.writeHead(401, {'WWW-Authenticate': challenge}).end())
    )
    expect(await asks(host)).toBeUndefined()
  })
})

describe('mirroredName', () => {
  it('is the image as its mirror calls it', () => {
    expect(mirroredName(mirror('m.example', {path: 'hub'}), parseImageReference('golang:1.24'))).toBe(
      'm.example/hub/library/golang:1.24'
    )
  })
})
