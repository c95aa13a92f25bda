import {createHash} from 'node:crypto'
import {afterEach, describe, expect, it} from '@jest/globals'
import {httpProber} from '../../../src/adapters/http-prober.js'
import {surveyImageDigests} from '../../../src/network/image-digests.js'
import {parseImageReference} from '../../../src/network/images.js'
import type {Network} from '../../../src/network/network.js'
import type {Probe, Prober, ProbeResult} from '../../../src/ports.js'
import {deadHost, type Handler, type LoopbackServer, serve} from '../../support/loopback.js'
import {networkWith} from '../../support/network.js'

const digest = `sha256:${'a1'.repeat(32)}`
const running: LoopbackServer[] = []

async function registry(handle: Handler): Promise<LoopbackServer> {
  const server = await serve(handle)
  running.push(server)
  return server
}

const telling: Handler = (_request, response) => response.writeHead(200, {'Docker-Content-Digest': digest}).end()

async function survey(images: readonly string[], network: Partial<Network> = {}, prober: Prober = httpProber()) {
  const ports = {prober, clock: () => performance.now()}
  return Object.fromEntries(await surveyImageDigests(images.map(parseImageReference), networkWith(network), ports))
}

/** In the place of Docker Hub, at `host`, below `path`. */
const hub = (host: string, path = ''): Partial<Network> => ({
  registryMirrors: [{registry: 'docker.io', host, path, scheme: 'http'}]
})

/** A network whose requests `answer` knows; the others fail. */
function answering(answer: (probe: Probe) => ProbeResult | undefined): Prober & {readonly asked: string[]} {
  const asked: string[] = []
  return {
    asked,
    get: probe => {
      asked.push(`${probe.method ?? 'GET'} ${probe.url}${probe.proxy === undefined ? '' : ` via ${probe.proxy}`}`)
      return Promise.resolve(answer(probe) ?? {failure: 'no route', reason: 'connection refused'})
    }
  }
}

const told: ProbeResult = {status: 200, headers: {'docker-content-digest': digest}, body: ''}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

describe('surveyImageDigests', () => {
  it('asks the mirror for the head of each manifest, once', async () => {
    const mirror = await registry(telling)
    const images = ['golang:1.24.9-bookworm', 'docker.io/library/golang:1.24.9-bookworm', 'tonistiigi/xx']
    expect(await survey(images, hub(mirror.host, 'hub'))).toEqual({
      'docker.io/library/golang:1.24.9-bookworm': digest,
      'docker.io/tonistiigi/xx:latest': digest
    })
    expect([...mirror.requests].sort()).toEqual([
      'HEAD /v2/hub/library/golang/manifests/1.24.9-bookworm',
      'HEAD /v2/hub/tonistiigi/xx/manifests/latest'
    ])
  })

  it('asks a registry without a mirror itself, by the proxy', async () => {
    const own = await registry(telling)
    expect(await survey([`${own.host}/base:1`])).toEqual({[`${own.host}/base:1`]: digest})
    const prober = answering(({proxy}) => (proxy === undefined ? undefined : told))
    expect(await survey(['golang:1'], {proxies: {https: 'http://proxy:3128'}}, prober)).toEqual({
      'docker.io/library/golang:1': digest
    })
    expect(prober.asked).toEqual([
      'HEAD https://registry-1.docker.io/v2/library/golang/manifests/1 via http://proxy:3128'
    ])
  })

  it('does not ask for what is pinned', async () => {
    const prober = answering(() => undefined)
    const pinned = `docker.io/library/golang:1.24@${digest}`
    expect(await survey([pinned], {}, prober)).toEqual({[pinned]: digest})
    expect(prober.asked).toEqual([])
  })

  it('under strict asks nobody without a mirror, a proxy or permission', async () => {
    const prober = answering(() => told)
    const strict = {strict: true, proxies: {}}
    expect(await survey(['golang:1'], strict, prober)).toEqual({})
    expect(prober.asked).toEqual([])
    const permitted = networkWith().direct
    const direct = {...permitted, registries: ['docker.io']}
    for (const network of [{direct}, {proxies: {https: 'http://proxy:3128'}}, hub('mirror.example')]) {
      expect(Object.keys(await survey(['golang:1'], {...strict, ...network}, prober))).toHaveLength(1)
    }
  })

  it('takes an anonymous token, and leaves unknown what wants a login', async () => {
    const mirror = await registry((request, response) => {
      const {url = '', headers} = request
      if (url.startsWith('/token')) response.end(JSON.stringify({token: 'open'}))
      else if (headers.authorization === 'Bearer open') telling(request, response)
      else {
        const realm = `http://${mirror.host}/token`
        response.writeHead(401, {'WWW-Authenticate': `Bearer realm="${realm}",service="registry"`}).end()
      }
    })
    expect(await survey(['golang:1'], hub(mirror.host))).toEqual({'docker.io/library/golang:1': digest})
    const closed = await registry((_request, response) => response.writeHead(401).end('{}'))
    expect(await survey(['golang:1'], hub(closed.host))).toEqual({})
  })

  it('takes the digest of the manifest itself, from a mirror that does not tell it', async () => {
    const manifest = '{"schemaVersion":2}'
    const mirror = await registry((_request, response) => response.end(manifest))
    expect(await survey(['golang:1'], hub(mirror.host))).toEqual({
      'docker.io/library/golang:1': `sha256:${createHash('sha256').update(manifest).digest('hex')}`
    })
    expect(mirror.requests.map(request => request.split(' ', 1)[0])).toEqual(['HEAD', 'GET'])
  })

  it.each([
    ['a manifest that is cut', 200, {}, `{"layers":"${'x'.repeat(70_000)}"}`],
    ['a page', 200, {'Content-Type': 'text/html', 'Docker-Content-Digest': digest}, '<html>'],
    ['something that is no digest', 200, {'Docker-Content-Digest': 'sha256:cafe'}, 'ok'],
    ['no such image', 404, {'Docker-Content-Digest': digest}, '{}'],
    ['a failure', 500, {}, '{}']
  ] as const)('leaves the digest unknown for %s', async (_what, status, headers, body) => {
    const mirror = await registry((_request, response) => response.writeHead(status, headers).end(body))
    expect(await survey(['golang:1'], hub(mirror.host))).toEqual({})
  })

  it('leaves the digest unknown where nobody answers, and tells the others', async () => {
    const dead = await deadHost()
    const mirror = await registry(telling)
    const {registryMirrors = []} = hub(mirror.host)
    expect(await survey([`${dead}/base:1`, 'golang:1'], {registryMirrors})).toEqual({
      'docker.io/library/golang:1': digest
    })
  })

  it('asks once more when the connection was lost', async () => {
    let asked = 0
    const mirror = await registry((request, response) => {
      asked += 1
      if (asked === 1) request.socket.destroy()
      else telling(request, response)
    })
    expect(await survey(['golang:1'], hub(mirror.host))).toEqual({'docker.io/library/golang:1': digest})
  })

  it('gives all questions for one image together five seconds', async () => {
    const limits: number[] = []
    let now = 0
    const prober: Prober = {
      get: ({timeoutMilliseconds}) => {
        limits.push(timeoutMilliseconds)
        now += 3000
        return Promise.resolve({failure: 'lost', reason: 'connection lost'})
      }
    }
    const image = parseImageReference('golang:1')
    await surveyImageDigests([image], networkWith(), {prober, clock: () => now})
    expect(limits).toEqual([5000, 2000])
  })
})
