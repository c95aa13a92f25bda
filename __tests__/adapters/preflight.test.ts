import {afterAll, afterEach, beforeAll, describe, expect, it} from '@jest/globals'
import type {CertificateAuthority} from '../../sandbox/certificate-authority.js'
import type {RoutedEndpoint} from '../../src/network/endpoint.js'
import type {Network} from '../../src/network/network.js'
import {renderPreflight} from '../../src/report/preflight-text.js'
import {deadHost, serve, serveProxy} from '../support/loopback.js'
import {endpointAt, preflightOf} from '../support/preflight.js'
import {serveAnswers} from '../support/probe.js'
import {serveRaw} from '../support/raw-loopback.js'
import {privateAuthority, serveSecurely} from '../support/secure-loopback.js'

const running: {stop(): Promise<void>}[] = []
const started = async <Server extends {stop(): Promise<void>}>(starting: Promise<Server>): Promise<Server> => {
  const server = await starting
  running.push(server)
  return server
}

let trusted: CertificateAuthority
let stranger: CertificateAuthority

beforeAll(async () => {
  trusted = await privateAuthority()
  stranger = await privateAuthority('A stranger')
}, 120_000)

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

afterAll(async () => {
  for (const authority of [trusted, stranger]) await authority.remove()
})

/** Twenty endpoints with the state that each is in: half of them dead, each in a way of its own. */
async function twentyEndpoints(): Promise<{
  readonly expected: readonly (readonly [RoutedEndpoint, string])[]
  readonly network: Partial<Network>
}> {
  const {host: mirror} = await started(
    serveAnswers({
      '/v2/hub/library/golang/manifests/1.24.9-bookworm': {headers: {'Docker-Content-Digest': 'sha256:1'}},
      '/v2/hub/docker/dockerfile/manifests/1': {status: 401},
      '/runc.git/info/refs?service=git-upload-pack': {body: '001e# service=git-upload-pack\n'},
      '/debian/dists/bookworm/InRelease': {body: 'Origin: Debian\n'},
      '/golang.org/x/mod/@v/list': {body: 'v0.1.0\n'},
      '/simple/pip/': {},
      '/file': {},
      '/broken': {status: 500}
    })
  )
  const {host: sender} = await started(
    serve((_request, response) => response.writeHead(302, {Location: `http://${mirror}/file`}).end())
  )
  const hiding = (_request: unknown, response: {end(text: string): unknown}) => response.end('secure')
  const good = await started(serveSecurely(hiding, trusted))
  const unknown = await started(serveSecurely(hiding, stranger))
  const other = await started(serveSecurely(hiding, trusted, 'mirror.example'))
  const hole = await started(serveRaw())
  const garbage = await started(serveRaw(socket => socket.end('220 mail.example ESMTP\r\n')))
  const filter = await started(
    serve(({url = ''}, response) => response.writeHead(url.includes('denied') ? 403 : 200).end())
  )
  const login = await started(serveProxy('me:pass'))
  const url = `http://${mirror}`
  return {
    network: {
      registryMirrors: [{registry: 'docker.io', host: mirror, path: 'hub', scheme: 'http'}],
      proxies: {http: `http://${filter.host}`, https: `http://me:wrong@${login.host}`, none: 'nobody.invalid'},
      certificates: trusted.certificate
    },
    expected: [
      [endpointAt('image', `${mirror}/hub/library/golang:1.24.9-bookworm`, {via: 'mirror'}), 'reachable'],
      [endpointAt('frontend', `${mirror}/hub/docker/dockerfile:1`, {via: 'mirror'}), 'reachable'],
      [endpointAt('git', `${url}/runc.git`, {via: 'mirror'}), 'reachable'],
      [endpointAt('apt', `${url}/debian`, {via: 'mirror'}), 'reachable'],
      [endpointAt('go', `${url}/`, {via: 'mirror'}), 'reachable'],
      [endpointAt('pip', `${url}/simple/`, {via: 'mirror'}), 'reachable'],
      [endpointAt('http', `${url}/file`), 'reachable'],
      [endpointAt('http', `http://${sender}/file`), 'redirected'],
      [endpointAt('http', `https://localhost:${good.port}/file`), 'reachable'],
      [endpointAt('http', 'http://allowed.example/file', {via: 'proxy'}), 'reachable'],
      [endpointAt('http', `http://${await deadHost()}/`), 'refused'],
      [endpointAt('git', `http://${hole.host}/runc.git`), 'no answer'],
      [endpointAt('gem', 'http://nobody.invalid/'), 'no answer'],
      [endpointAt('http', `https://localhost:${unknown.port}/`), 'tls error'],
      [endpointAt('http', `https://localhost:${other.port}/`), 'tls error'],
      [endpointAt('http', 'http://denied.example/file', {via: 'proxy'}), 'proxy denied'],
      [endpointAt('sumdb', 'https://sum.example/', {via: 'proxy'}), 'proxy denied'],
      [endpointAt('apk', `${url}/alpine`), 'not found'],
      [endpointAt('http', `${url}/broken`), 'wrong answer'],
      [endpointAt('http', `http://${garbage.host}/`), 'wrong answer']
    ]
  }
}

describe('preflight', () => {
  it('says of twenty endpoints, half of them dead, which, and ends within its limit', async () => {
    const {expected, network} = await twentyEndpoints()
    const limits = {seconds: 4, parallel: 4}
    const began = performance.now()
    const results = await preflightOf(
      expected.map(([endpoint]) => endpoint),
      network,
      limits
    )
    const seconds = (performance.now() - began) / 1000
    expect(results.map(({endpoint, state}) => [endpoint.what, state])).toEqual(
      expected.map(([{what}, state]) => [what, state])
    )
    expect(results.map(({endpoint}) => endpoint)).toEqual(expected.map(([endpoint]) => endpoint))
    expect(seconds).toBeLessThan(limits.seconds + 0.5)
    expect(renderPreflight(results)).toContain('10 of 20 endpoints answer, 10 do not.')
    // Credentials of the proxy.
    expect(JSON.stringify(results)).not.toMatch(/wrong@|me:/)
  }, 15_000)

  it('names the input that would help', async () => {
    const {expected, network} = await twentyEndpoints()
    const results = await preflightOf(
      expected.map(([endpoint]) => endpoint),
      network
    )
    const fixes = Object.fromEntries(results.map(({endpoint, state, fix}) => [`${endpoint.kind} ${state}`, fix]))
    expect(fixes).toMatchObject({
      'image reachable': undefined,
      'git no answer': expect.stringMatching(/^git-mirrors: http:\/\/127\.0\.0\.1:\d+\/=https:\/\/mirror\.example\/$/),
      'gem no answer': 'gem-source: https://mirror.example',
      'http proxy denied': 'no-proxy: nobody.invalid,denied.example',
      'sumdb proxy denied': expect.stringMatching(/^https-proxy: http:\/\/user:password@127\.0\.0\.1:\d+$/),
      'apk not found': 'apk-mirror: https://mirror.example'
    })
    const byAuthority = results.filter(({fix}) => fix?.startsWith('ca-certificates: ') === true)
    expect(byAuthority.map(({detail}) => detail)).toEqual([expect.stringContaining('authority that is not trusted')])
  })

  it('does not let dead addresses add up', async () => {
    const endpoints: RoutedEndpoint[] = []
    for (let count = 0; count < 10; count++) {
      const {host} = await started(serveRaw())
      endpoints.push(endpointAt('http', `http://${host}/`))
    }
    const limits = {seconds: 1, parallel: 2}
    const began = performance.now()
    const results = await preflightOf(endpoints, {}, limits)
    expect((performance.now() - began) / 1000).toBeLessThan(limits.seconds + 0.5)
    expect(results.map(({state}) => state)).toEqual(endpoints.map(() => 'no answer'))
    expect(results.at(0)?.detail).toBe('no answer within 0.5 s')
    expect(results.at(-1)?.detail).toBe('not asked within the 1 s that there are for all endpoints')
  })
})
