import {afterEach, describe, expect, it} from '@jest/globals'
import {httpProber} from '../../../src/adapters/http-prober.js'
import {CancelledError} from '../../../src/errors.js'
import {preflight} from '../../../src/network/preflight.js'
import {type LoopbackServer, serve, serveProxy} from '../../support/loopback.js'
import {networkWith} from '../../support/network.js'
import {endpointAt, preflightOf} from '../../support/preflight.js'
import {serveAnswers} from '../../support/probe.js'

const running: LoopbackServer[] = []
const started = async (starting: Promise<LoopbackServer>): Promise<LoopbackServer> => {
  const server = await starting
  running.push(server)
  return server
}

const manifest = {headers: {'Docker-Content-Digest': 'sha256:1'}}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

describe('preflight asks nobody about', () => {
  it("what 'strict' refuses, and names the mirror that would permit it", async () => {
    const endpoint = endpointAt('git', 'https://github.com/moby/moby.git', {via: 'refused'})
    expect(await preflightOf([endpoint], {strict: true})).toEqual([
      {
        endpoint,
        state: 'refused by strict',
        detail: 'it has no mirror, no proxy and no permission',
        fix: 'git-mirrors: https://github.com/=https://mirror.example/'
      }
    ])
  })

  it('a package source whose host only the image knows, and names the input that would tell', async () => {
    expect(await preflightOf([endpointAt('apt', 'http://*/debian')])).toMatchObject([
      {state: 'not probed', detail: 'only the base image names the host', fix: 'apt-mirror: https://mirror.example'}
    ])
  })

  it('Go modules that come from their own hosts', async () => {
    expect(await preflightOf([endpointAt('go', 'https://*/')])).toMatchObject([
      {state: 'not probed', detail: 'each module names its host'}
    ])
  })

  it.each([
    ['git', '/srv/moby', 'this machine', 'is on this machine'],
    ['git', 'git@git.example:moby.git', 'direct', 'is not fetched over HTTP']
  ] as const)('a %s at %j that is %s', async (kind, target, via, detail) => {
    const [result] = await preflightOf([endpointAt(kind, target, {via})])
    expect(result).toMatchObject({state: 'not probed', detail})
    expect(result?.fix).toBeUndefined()
  })
})

describe('preflight', () => {
  it('has nothing to say of nothing', async () => {
    expect(await preflightOf([])).toEqual([])
  })

  it('says how long an answer took', async () => {
    const {host} = await started(serveAnswers({'/file': {}}))
    const [result] = await preflightOf([endpointAt('http', `http://${host}/file`)])
    expect(result?.milliseconds).toBeGreaterThanOrEqual(0)
  })

  it('asks once for what several places want', async () => {
    const {host, requests} = await started(serveAnswers({'/file': {}}))
    const twice = (line: number) =>
      endpointAt('http', `http://${host}/file`, {}, {from: {component: 'daemon', file: 'Dockerfile', line}})
    const results = await preflightOf([twice(1), twice(2)])
    expect(results.map(({state, endpoint}) => [state, endpoint.from?.line])).toEqual([
      ['reachable', 1],
      ['reachable', 2]
    ])
    expect(requests).toHaveLength(1)
  })

  it('asks for the packages of the images of the same component', async () => {
    const {host, requests} = await started(
      serveAnswers({
        '/v2/daemon/manifests/1-bookworm': manifest,
        '/v2/client/manifests/1-trixie': manifest,
        '/debian/dists/trixie/InRelease': {body: 'Suite: stable\n'}
      })
    )
    const of = (component: 'daemon' | 'client') => ({from: {component, file: 'Dockerfile', line: 1}})
    const results = await preflightOf([
      endpointAt('image', `${host}/daemon:1-bookworm`, {}, of('daemon')),
      endpointAt('image', `${host}/client:1-trixie`, {}, of('client')),
      endpointAt('apt', `http://${host}/debian`, {}, of('client'))
    ])
    expect(results.map(({state}) => state)).toEqual(['reachable', 'reachable', 'reachable'])
    expect(requests).not.toContain('GET /debian/dists/bookworm/InRelease')
  })

  it('says that it was not the daemon who asked', async () => {
    const {host} = await started(serveAnswers({'/v2/a/manifests/1': manifest}))
    const results = await preflightOf([
      endpointAt('image', `${host}/a:1`, {via: 'daemon'}),
      endpointAt('image', `${host}/b:1`, {via: 'daemon'})
    ])
    expect(results.map(({state, detail}) => [state, detail])).toEqual([
      ['reachable', 'asked from here, not by the daemon'],
      ['not found', 'answered 404; asked from here, not by the daemon']
    ])
  })

  it('asks once more when what went wrong may be over in a moment', async () => {
    let asked = 0
    const {host} = await started(
      serve((request, response) => {
        asked += 1
        if (asked === 1) request.socket.destroy()
        else response.end()
      })
    )
    expect(await preflightOf([endpointAt('http', `http://${host}/`)])).toMatchObject([{state: 'reachable'}])
  })

  it('ends as soon as the run is cancelled', async () => {
    const ports = {
      prober: httpProber(),
      clock: () => 0,
      pause: () => Promise.reject(new CancelledError('cancelled'))
    }
    const endpoint = endpointAt('http', 'http://nobody.invalid/')
    await expect(preflight([endpoint], networkWith(), ports)).rejects.toThrow(CancelledError)
  })
})

describe('preflight of build steps', () => {
  it("goes through the docker client's proxy, which nobody else has", async () => {
    const {host} = await started(serve((_request, response) => response.end()))
    const clientProxies = {http: `http://${host}`}
    const url = 'http://upstream.invalid/file'
    const [step, ours] = await preflightOf(
      [endpointAt('http', url), endpointAt('http', url, {}, {fetcher: 'buildkitd'})],
      {clientProxies}
    )
    expect(step?.state).toBe('reachable')
    expect(ours?.state).toBe('no answer')
  })
})

describe('preflight of what the daemon fetches', () => {
  const url = 'http://upstream.invalid/file'

  it("goes through the daemon's proxies and not through ours", async () => {
    const {host} = await started(serve((_request, response) => response.end()))
    const {host: ours} = await started(serve((_request, response) => response.writeHead(500).end()))
    const [own, direct] = await preflightOf(
      [
        endpointAt('http', url, {via: 'proxy', proxy: `http://${host}`}, {fetcher: 'dockerd'}),
        endpointAt('http', url, {}, {fetcher: 'dockerd'})
      ],
      {proxies: {http: `http://${ours}`}}
    )
    expect(own?.state).toBe('reachable')
    expect(direct?.state).toBe('no answer')
  })

  it('does not know what a proxy says to which the daemon alone can log in', async () => {
    const {host} = await started(serveProxy('me:pass'))
    const endpoint = endpointAt('http', url, {via: 'proxy', proxy: `http://${host}`}, {fetcher: 'dockerd'})
    expect(await preflightOf([endpoint])).toEqual([
      {endpoint, state: 'not probed', detail: "the daemon's own proxy wants a login, which only the daemon knows"}
    ])
  })

  it('suggests neither proxies nor certificates, which the daemon does not get', async () => {
    const {host} = await started(serve((_request, response) => response.writeHead(403).end()))
    const proxy = `http://${host}`
    const endpoint = (fetcher: 'dockerd' | 'buildkitd') => endpointAt('http', url, {via: 'proxy', proxy}, {fetcher})
    const results = await preflightOf([endpoint('dockerd'), endpoint('buildkitd')], {proxies: {http: proxy}})
    expect(results.map(({state, fix}) => [state, fix])).toEqual([
      ['proxy denied', 'download-mirrors: http://upstream.invalid/=https://mirror.example/'],
      ['proxy denied', 'no-proxy: upstream.invalid']
    ])
  })
})

describe('preflight under strict', () => {
  const sendingOn = async () => {
    const last = await started(serve((_request, response) => response.writeHead(200, manifest.headers).end()))
    const location = `http://elsewhere.invalid:${last.host.replace(/.*:/, '')}/`
    return await started(serve((_request, response) => response.writeHead(302, {Location: location}).end()))
  }
  /** Whoever is asked for, the proxy answers. */
  const throughProxy = async () =>
    await started(serve((_request, response) => response.writeHead(200, manifest.headers).end()))

  it('refuses what a redirect leads to where no build step may go', async () => {
    const {host} = await sendingOn()
    const {host: proxy} = await throughProxy()
    // Reaches elsewhere.invalid from here only.
    const prober = httpProber()
    const ports = {
      prober: {
        get: (probe: Parameters<typeof prober.get>[0]) =>
          prober.get(probe.url.includes('elsewhere') ? {...probe, proxy: `http://${proxy}`} : probe)
      },
      clock: () => performance.now(),
      pause: () => Promise.resolve()
    }
    const endpoints = [
      endpointAt('http', `http://${host}/file`),
      endpointAt('image', `${host}/a:1`, {}, {fetcher: 'buildkitd'})
    ]
    const states = async (strict: boolean) =>
      (await preflight(endpoints, networkWith({strict}), ports)).map(({state, fix}) => [state, fix])
    expect(await states(false)).toEqual([
      ['redirected', undefined],
      ['redirected', undefined]
    ])
    expect(await states(true)).toEqual([
      ['refused by strict', `download-mirrors: http://${host}/=https://mirror.example/`],
      ['redirected', undefined]
    ])
  })

  it('lets it go on through the proxy of the user', async () => {
    const {host} = await sendingOn()
    const {host: proxy} = await throughProxy()
    const network = {strict: true, proxies: {http: `http://${proxy}`}}
    const [result] = await preflightOf([endpointAt('http', `http://${host}/file`)], network)
    expect(result?.state).toBe('redirected')
  })
})
