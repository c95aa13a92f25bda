import {afterEach, describe, expect, it} from '@jest/globals'
import {httpProber} from '../../../src/adapters/http-prober.js'
import type {Endpoint, EndpointKind} from '../../../src/network/endpoint.js'
import type {DirectPermissions} from '../../../src/network/network.js'
import {type MirrorCandidates, surveyNetwork} from '../../../src/network/survey-network.js'
import {deadHost, type Handler, type LoopbackServer, serve} from '../../support/loopback.js'
import {memoryLog} from '../../support/memory.js'

const running: LoopbackServer[] = []
const started = async (handle: Handler): Promise<LoopbackServer> => {
  const server = await serve(handle)
  running.push(server)
  return server
}
/** A server that has these paths, each with its text. */
const having = async (files: Readonly<Record<string, string>>): Promise<LoopbackServer> =>
  await started(({url = ''}, response) => {
    const text = files[url]
    response.writeHead(text === undefined ? 404 : 200).end(text)
  })

const endpoint = (kind: EndpointKind, what: string): Endpoint => ({kind, what, hosts: [], fetcher: 'build step'})
const none: MirrorCandidates = {aptMirrors: [], apkMirrors: [], gitMirrors: [], downloadMirrors: []}
const refusing: DirectPermissions = {registries: [], git: [], downloads: [], apt: false, apk: false}

async function survey(
  candidates: Partial<MirrorCandidates>,
  endpoints: readonly Endpoint[],
  direct: Partial<DirectPermissions> = {}
) {
  const log = memoryLog()
  const settings = {proxies: {}, direct: {...refusing, ...direct}}
  const network = await surveyNetwork({...none, ...candidates}, endpoints, settings, {prober: httpProber(), log})
  return {network, lines: log.lines}
}

const runc = 'https://github.com/opencontainers/runc.git'
const tini = 'https://github.com/krallin/tini.git'
const refs = (path: string) => ({[`/${path}/info/refs?service=git-upload-pack`]: `${'0'.repeat(40)}\tHEAD\n`})
const golang = endpoint('image', 'docker.io/library/golang:1.24.9-bookworm')
const apt = endpoint('apt', 'http://*/debian')

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

describe('surveyNetwork', () => {
  it('has nothing to say without mirrors', async () => {
    expect(await survey({}, [apt])).toEqual({network: {gitMirrors: [], downloadMirrors: []}, lines: []})
  })

  it('takes an only mirror without asking', async () => {
    const {host, requests} = await having({})
    const rule = {from: 'https://github.com/', to: `http://${host}/`}
    const {network, lines} = await survey({aptMirrors: [`http://${host}`], gitMirrors: [rule]}, [
      apt,
      golang,
      endpoint('git', runc)
    ])
    expect(network).toEqual({aptMirror: `http://${host}`, gitMirrors: [rule], downloadMirrors: []})
    expect([...lines, ...requests]).toEqual([])
  })

  it('takes the first apt mirror with the suite of the image, and says what was wrong with those before it', async () => {
    const dead = await deadHost()
    const without = await having({'/debian/dists/trixie/InRelease': 'Origin: Debian\n'})
    const good = await having({'/debian/dists/bookworm/InRelease': 'Origin: Debian\n'})
    const {network, lines} = await survey({aptMirrors: [dead, without.host, good.host].map(host => `http://${host}`)}, [
      apt,
      golang
    ])
    expect(network.aptMirror).toBe(`http://${good.host}`)
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^warning: Skipped .* from 'apt-mirror': http://${dead}: .*ECONNREFUSED`)),
      expect.stringMatching(new RegExp(`'apt-mirror': http://${without.host}: .* answered 404$`))
    ])
  })

  it('takes the first apk mirror with the branch of the image', async () => {
    const alpine = endpoint('image', 'docker.io/library/golang:1.25-alpine3.22')
    const good = await having({'/alpine/v3.22/main/x86_64/APKINDEX.tar.gz': 'index'})
    const old = await having({'/alpine/v3.21/main/x86_64/APKINDEX.tar.gz': 'index'})
    const endpoints = [endpoint('apk', 'https://dl-cdn.alpinelinux.org/alpine'), alpine]
    const {network} = await survey({apkMirrors: [old.host, good.host].map(host => `http://${host}`)}, endpoints)
    expect(network.apkMirror).toBe(`http://${good.host}`)
  })

  it('takes the first git mirror that has every repository of the build', async () => {
    const half = await having(refs('opencontainers/runc.git'))
    const whole = await having({...refs('opencontainers/runc.git'), ...refs('krallin/tini.git')})
    const rules = [half, whole].map(({host}) => ({from: 'https://github.com/', to: `http://${host}/`}))
    const {network, lines} = await survey({gitMirrors: rules}, [endpoint('git', runc), endpoint('git', tini)])
    expect(network.gitMirrors).toEqual([rules[1]])
    expect(lines).toEqual([expect.stringContaining(`http://${half.host}/krallin/tini.git: answered 404`)])
  })

  it('chooses for each prefix by itself, longer ones first', async () => {
    const [runcs, others] = [await having(refs('runc.git')), await having(refs('krallin/tini.git'))]
    const rules = [
      {from: 'https://github.com/', to: `http://${runcs.host}/`},
      {from: 'https://github.com/', to: `http://${others.host}/`},
      {from: 'https://github.com/opencontainers/', to: `http://${runcs.host}/`}
    ]
    const {network} = await survey({gitMirrors: rules}, [endpoint('git', runc), endpoint('git', tini)])
    expect(network.gitMirrors).toEqual([rules[2], rules[1]])
  })

  it('takes the first download mirror that has the files', async () => {
    const good = await having({'/compose/v2/docker-compose': 'x'})
    const empty = await having({})
    const from = 'https://download.example/'
    const rules = [empty, good].map(({host}) => ({from, to: `http://${host}/`}))
    const {network, lines} = await survey({downloadMirrors: rules}, [
      endpoint('http', `${from}compose/v2/docker-compose`)
    ])
    expect(network.downloadMirrors).toEqual([rules[1]])
    expect(lines).toEqual([expect.stringContaining("'download-mirrors'")])
  })

  it('goes direct, with a warning, where that is permitted and no mirror answers', async () => {
    const dead = await deadHost()
    const rule = {from: 'https://github.com/', to: `http://${dead}/`}
    const {network, lines} = await survey(
      {aptMirrors: [`http://${dead}`], gitMirrors: [rule]},
      [apt, golang, endpoint('git', runc)],
      {apt: true, git: ['https://github.com/']}
    )
    expect(network).toEqual({gitMirrors: [], downloadMirrors: []})
    expect(lines).toEqual([
      expect.stringMatching(/'apt-mirror' .* direct:\n {2}- .*ECONNREFUSED/),
      expect.stringMatching(/'git-mirrors' .* direct:\n {2}- .*ECONNREFUSED/)
    ])
  })

  it('stays with the first mirror, with a warning, where none answers: the builder may reach it', async () => {
    const mirrors = [await deadHost(), await deadHost()].map(host => `http://${host}`)
    const {network, lines} = await survey({aptMirrors: mirrors}, [apt, golang])
    expect(network.aptMirror).toBe(mirrors[0])
    expect(lines).toEqual([expect.stringContaining(`to ${mirrors[0] ?? ''}:`)])
  })

  it('asks a mirror once more that may just have been out of reach', async () => {
    let asked = 0
    const shaky = await started((request, response) => {
      asked += 1
      if (asked === 1) request.socket.destroy()
      else response.end('Origin: Debian\n')
    })
    const {network, lines} = await survey({aptMirrors: [`http://${shaky.host}`, 'http://other.invalid']}, [apt, golang])
    expect(network.aptMirror).toBe(`http://${shaky.host}`)
    expect(lines).toEqual([])
  })
})
