import {afterEach, describe, expect, it} from '@jest/globals'
import type {Finding} from '../../../src/network/finding.js'
import {deadHost, type LoopbackServer, serve} from '../../support/loopback.js'
import {type Answer, probed, serveAnswers} from '../../support/probe.js'

const running: LoopbackServer[] = []
const started = async (starting: Promise<LoopbackServer>): Promise<LoopbackServer> => {
  const server = await starting
  running.push(server)
  return server
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

describe('probe of an image', () => {
  const manifest = '/v2/hub/library/golang/manifests/1.24'
  const manifestType = 'application/vnd.oci.image.index.v1+json'

  it.each<[string, Answer, object]>([
    ['is there', {headers: {'Content-Type': manifestType}}, {state: 'reachable', detail: ''}],
    ['has a digest', {headers: {'Docker-Content-Digest': 'sha256:1'}}, {state: 'reachable', detail: ''}],
    ['is a page', {headers: {'Content-Type': 'text/html'}}, {state: 'wrong answer', detail: 'is no image registry'}],
    ['is nothing', {}, {state: 'wrong answer', detail: 'is no image registry'}],
    ['is not there', {status: 404}, {state: 'not found', detail: 'answered 404'}],
    ['wants a login', {status: 401}, {state: 'reachable', detail: 'wants a login: see `docker login`'}],
    ['was pulled too often', {status: 429}, {state: 'refused', detail: 'answered 429'}],
    ['is broken', {status: 500}, {state: 'wrong answer', detail: 'answered 500'}]
  ])('that %s', async (_what, answer, expected) => {
    const {host, requests} = await started(serveAnswers({[manifest]: answer}))
    expect(await probed('image', `${host}/hub/library/golang:1.24`)).toMatchObject(expected)
    expect(requests).toEqual([`HEAD ${manifest}`])
  })

  it('asks a mirror by its scheme', async () => {
    const {host} = await started(serveAnswers({[manifest]: {}}))
    const mirror = {registry: 'docker.io', host, path: 'hub', scheme: 'https'} as const
    const network = {registryMirrors: [mirror]}
    expect(await probed('frontend', `${host}/hub/library/golang:1.24`, {network})).toMatchObject({state: 'tls error'})
  })

  it('fetches an anonymous token where one is wanted', async () => {
    const {host} = await started(
      serve(({url = '', headers}, response) => {
        if (url.startsWith('/token')) response.end('{"token": "abc"}')
        else if (headers.authorization === 'Bearer abc') response.setHeader('Content-Type', manifestType).end()
        else response.writeHead(401, {'WWW-Authenticate': `Bearer realm="http://${headers.host ?? ''}/token"`}).end()
      })
    )
    expect(await probed('image', `${host}/library/golang:1.24`)).toMatchObject({state: 'reachable', detail: ''})
  })

  it('is not reachable when the server of its tokens is not', async () => {
    const dead = await deadHost()
    const challenge = {'WWW-Authenticate': `Bearer realm="http://${dead}/token"`}
    const {host} = await started(serveAnswers({[manifest]: {status: 401, headers: challenge}}))
    const finding = await probed('image', `${host}/hub/library/golang:1.24`)
    expect(finding.state).toBe('refused')
    expect(finding.detail).toContain(dead)
  })
})

describe('probe of a repository', () => {
  const refs = '/runc.git/info/refs?service=git-upload-pack'
  const smart = {'Content-Type': 'application/x-git-upload-pack-advertisement'}

  it.each<[string, Answer, object]>([
    ['a server that speaks to git', {headers: smart, body: '000eversion 2\n'}, {state: 'reachable'}],
    ['the older protocol', {body: '001e# service=git-upload-pack\n0000'}, {state: 'reachable'}],
    ['a plain file server', {body: `${'a'.repeat(40)}\trefs/heads/main\n`}, {state: 'reachable'}],
    ['a page', {body: '<html>'}, {state: 'wrong answer', detail: 'is no git repository'}],
    ['nothing', {status: 404}, {state: 'not found'}],
    [
      'a question for a password',
      {status: 401},
      {state: 'refused', detail: 'wants a login: it is private, or there is no such repository'}
    ]
  ])('finds %s', async (_what, answer, expected) => {
    const {host} = await started(serveAnswers({[refs]: answer}))
    expect(await probed('git', `http://${host}/runc.git#v1.3.3`)).toMatchObject(expected)
  })

  it('counts a login as reachable for the checkout, which has the token', async () => {
    const {host} = await started(serveAnswers({[refs]: {status: 401}}))
    expect(await probed('git', `http://${host}/runc.git`, {fetcher: 'git'})).toMatchObject({state: 'reachable'})
  })
})

describe('probe of a file', () => {
  it('asks for the first bytes only', async () => {
    const {host} = await started(
      serve(({headers}, response) => {
        response.writeHead(headers.range === 'bytes=0-1023' ? 206 : 500).end()
      })
    )
    expect(await probed('http', `http://${host}/file`)).toMatchObject({state: 'reachable'})
  })

  it.each(['http', 'git'] as const)('asks only the host where the end of the URL is not known (%s)', async kind => {
    const {host} = await started(serveAnswers({}))
    for (const end of ['', 'releases/', 'releases/v*.tar.gz']) {
      const finding = await probed(kind, `http://${host}/${end}`)
      expect(finding).toMatchObject({state: 'reachable', detail: 'only the host was asked'})
    }
    const broken = await started(serveAnswers({'/': {status: 500}}))
    expect(await probed(kind, `http://${broken.host}/`)).toMatchObject({state: 'wrong answer'})
  })

  it('follows redirects and names the host at their end', async () => {
    const last = await started(serveAnswers({'/there?signature=secret': {}}))
    const first = await started(
      serveAnswers({
        '/file': {status: 302, headers: {Location: '/moved'}},
        '/moved': {status: 302, headers: {Location: `http://${last.host}/there?signature=secret`}}
      })
    )
    const finding = await probed('http', `http://${first.host}/file`)
    expect(finding).toMatchObject({state: 'redirected', detail: `to http://${last.host}`})
  })

  it('is not reachable where the redirect leads nowhere', async () => {
    const dead = await deadHost()
    const {host} = await started(
      serveAnswers({
        '/dead': {status: 301, headers: {Location: `http://${dead}/`}},
        '/circle': {status: 301, headers: {Location: '/circle'}},
        '/lost': {status: 301}
      })
    )
    const lost = await probed('http', `http://${host}/dead`)
    expect(lost.state).toBe('refused')
    expect(lost.detail).toMatch(new RegExp(`^sends on to http://${dead}, which fails: .*ECONNREFUSED`))
    expect(await probed('http', `http://${host}/circle`)).toMatchObject({state: 'wrong answer', detail: 'answered 301'})
    expect(await probed('http', `http://${host}/lost`)).toMatchObject({state: 'wrong answer', detail: 'answered 301'})
  })

  it.each<[number, string | undefined, Finding['state']]>([
    [403, undefined, 'proxy denied'],
    [403, '1.1 proxy', 'refused'],
    [503, undefined, 'no answer'],
    [503, '1.1 proxy', 'wrong answer'],
    [404, undefined, 'not found']
  ])("tells a proxy's own answer %d from one that it passes on, via %s: %s", async (status, via, state) => {
    const {host} = await started(
      serve((_request, response) => response.writeHead(status, via === undefined ? {} : {Via: via}).end())
    )
    const network = {proxies: {http: `http://${host}`}}
    expect(await probed('http', 'http://far.invalid/file', {network})).toMatchObject({state})
  })
})
