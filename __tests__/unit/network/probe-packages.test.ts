import {afterEach, describe, expect, it} from '@jest/globals'
import type {EndpointKind} from '../../../src/network/endpoint.js'
import {deadHost, type LoopbackServer} from '../../support/loopback.js'
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

describe('probe of packages', () => {
  const release = {body: 'Origin: Debian\n'}
  const images = ['docker.io/library/golang:1.24.9-bookworm']

  it.each([
    ['/debian', '/debian/dists/bookworm/InRelease', images],
    ['/debian', '/debian/dists/bookworm/Release', images],
    ['/debian-security', '/debian-security/dists/bookworm-security/InRelease', images],
    ['/debian-security', '/debian-security/dists/buster/updates/InRelease', ['golang:1.13-buster']],
    ['/ubuntu', '/ubuntu/dists/jammy/InRelease', ['ubuntu:22.04', 'debian:12']],
    ['/debian', '/debian/dists/', ['golang:1.24']]
  ])('asks for the suite of the images: %s, %s', async (archive, path, from) => {
    const {host} = await started(serveAnswers({[path]: release}))
    expect(await probed('apt', `http://${host}${archive}`, {images: from})).toMatchObject({state: 'reachable'})
  })

  it('sees that a suite has left the archive, and a page in its place', async () => {
    const gone = await started(serveAnswers({}))
    const page = await started(serveAnswers({'/debian/dists/bookworm/InRelease': {body: '<html>'}}))
    expect(await probed('apt', `http://${gone.host}/debian`, {images})).toMatchObject({state: 'not found'})
    expect(await probed('apt', `http://${page.host}/debian`, {images})).toMatchObject({state: 'wrong answer'})
  })

  it.each([
    [['alpine:3.21'], 'v3.21'],
    [['golang:1.25-alpine3.22'], 'v3.22'],
    [['golang:1.25-alpine'], 'latest-stable']
  ])("asks for the branch of Alpine's packages: %j, %s", async (from, branch) => {
    const {host} = await started(serveAnswers({[`/alpine/${branch}/main/x86_64/APKINDEX.tar.gz`]: {status: 206}}))
    expect(await probed('apk', `http://${host}/alpine`, {images: from})).toMatchObject({state: 'reachable'})
  })

  it.each<[EndpointKind, string]>([
    ['pip', '/simple/pip/'],
    ['pip', '/simple/'],
    ['gem', '/simple/specs.4.8.gz'],
    ['gem', '/simple/versions']
  ])('asks for the index: %s, %s', async (kind, path) => {
    const {host} = await started(serveAnswers({[path]: {}}))
    expect(await probed(kind, `http://${host}/simple/`)).toMatchObject({state: 'reachable'})
  })

  it('does not ask a dead host twice', async () => {
    const dead = await deadHost()
    expect(await probed('gem', `http://${dead}/`)).toMatchObject({
      state: 'refused',
      asked: `http://${dead}/specs.4.8.gz`
    })
  })
})

describe('probe of Go modules', () => {
  const list = '/golang.org/x/mod/@v/list'

  it.each<[string, Answer, object]>([
    ['a proxy', {body: 'v0.1.0\n'}, {state: 'reachable', detail: ''}],
    ['a proxy of other modules', {status: 404}, {state: 'reachable', detail: 'has not got golang.org/x/mod'}],
    ['a broken proxy', {status: 500}, {state: 'wrong answer'}],
    ['a page', {body: '<!DOCTYPE html>'}, {state: 'wrong answer', detail: 'is no Go proxy'}]
  ])('finds %s', async (_what, answer, expected) => {
    const {host} = await started(serveAnswers({[list]: answer}))
    expect(await probed('go', `http://${host}/`)).toMatchObject(expected)
  })

  it.each([
    [',', 'refused'],
    ['|', 'reachable']
  ])('goes on after a proxy that is dead as Go does: %s, %s', async (separator, state) => {
    const {host} = await started(serveAnswers({[list]: {}}))
    const dead = await deadHost()
    const goProxy = `http://${dead}${separator}http://${host},direct`
    expect(await probed('go', `http://${dead}/`, {network: {goProxy}})).toMatchObject({state})
  })

  it('asks for the module that is needed, and goes on to a proxy that has it', async () => {
    const module = 'github.com/tc-hib/go-winres/@v/v0.3.1.info'
    const empty = await started(serveAnswers({}))
    const full = await started(serveAnswers({[`/${module}`]: {body: '{"Version":"v0.3.1"}'}}))
    const target = `http://${empty.host}/${module}`
    const list = (separator: string) => ({goProxy: `http://${empty.host}${separator}http://${full.host}`})
    expect(await probed('go', target, {network: list(',')})).toMatchObject({state: 'reachable'})
    expect(await probed('go', target)).toMatchObject({state: 'not found', asked: target})
  })

  it('takes no page for what is told of a version', async () => {
    const module = '/github.com/tc-hib/go-winres/@v/v0.3.1.info'
    const {host} = await started(serveAnswers({[module]: {body: '<html>'}}))
    expect(await probed('go', `http://${host}${module}`)).toMatchObject({
      state: 'wrong answer',
      detail: 'is no Go proxy'
    })
  })

  const latest = {body: 'go.sum database tree\n1\n'}

  it('asks the checksum database itself', async () => {
    const {host} = await started(serveAnswers({'/latest': latest}))
    expect(await probed('sumdb', `http://${host}/`)).toMatchObject({state: 'reachable', asked: `http://${host}/latest`})
  })

  it('asks it through the Go proxy where that offers it', async () => {
    const below = '/sumdb/sum.golang.org'
    const {host} = await started(serveAnswers({[`${below}/supported`]: {}, [`${below}/latest`]: latest}))
    const network = {goProxy: `http://${host}`}
    expect(await probed('sumdb', 'http://sum.invalid/', {network})).toMatchObject({state: 'reachable'})
    const explicit = {...network, goSumdb: 'sum.golang.org http://sum.invalid'}
    expect(await probed('sumdb', 'http://sum.invalid/', {network: explicit})).toMatchObject({state: 'no answer'})
  })

  it('takes no page for a checksum database', async () => {
    const {host} = await started(serveAnswers({'/latest': {body: '<html>'}}))
    expect(await probed('sumdb', `http://${host}`)).toMatchObject({state: 'wrong answer'})
  })
})
