import {describe, expect, it} from '@jest/globals'
import type {PlannedBuilder} from '../../../src/engine/choose-builder.js'
import type {Endpoint, Fetcher, Route} from '../../../src/network/endpoint.js'
import type {Network} from '../../../src/network/network.js'
import {routeEndpoints, stepHosts} from '../../../src/plan/routes.js'
import {engineWith} from '../../support/engine.js'
import {networkWith} from '../../support/network.js'

const builder = (kind: PlannedBuilder['kind']): PlannedBuilder => ({
  kind,
  name: 'b',
  driver: kind === 'created' ? 'docker-container' : 'docker',
  why: '',
  platform: 'linux/amd64',
  exportsCaches: true
})

const endpoint = (kind: Endpoint['kind'], what: string, fetcher: Fetcher): Endpoint => ({
  kind,
  what,
  hosts: [],
  fetcher
})

const image = endpoint('image', 'docker.io/library/golang:1.24.9-bookworm', 'dockerd')
const builtImage = endpoint('image', image.what, 'buildkitd')
const clone = endpoint('git', 'https://github.com/moby/moby.git', 'git')
const runGit = endpoint('git', 'https://github.com/opencontainers/runc.git', 'build step')
const addedGit = endpoint('git', 'https://github.com/tc-hib/go-winres.git', 'buildkitd')
const file = endpoint('http', 'https://files.example/a/b.tgz', 'build step')
const apt = endpoint('apt', 'http://*/debian', 'build step')
const apk = endpoint('apk', 'https://dl-cdn.alpinelinux.org/alpine', 'build step')
const module = endpoint('go', 'https://proxy.golang.org/example.org/m/@v/v1.0.0.info', 'build step')
const sumdb = endpoint('sumdb', 'https://sum.golang.org/', 'build step')
const pip = endpoint('pip', 'https://pypi.org/simple/', 'build step')
const gem = endpoint('gem', 'https://rubygems.org/', 'build step')

function route(of: Endpoint, network: Partial<Network>, kind: PlannedBuilder['kind'] = 'created'): Route | undefined {
  return routeEndpoints([of], networkWith(network), builder(kind))[0]?.route
}

const proxies = {http: 'http://user:secret@proxy.example:3128', https: 'http://user:secret@proxy.example:3128'}

describe('the route of an endpoint', () => {
  it.each<[string, Endpoint, Partial<Network>, string, string]>([
    [
      'an image',
      image,
      {registryMirrors: [{registry: 'docker.io', host: 'm.example:5000', path: 'hub', scheme: 'https'}]},
      'm.example:5000/hub/library/golang:1.24.9-bookworm',
      'registry-mirrors'
    ],
    [
      'a clone by git',
      clone,
      {gitMirrors: [{from: 'https://github.com/', to: 'https://m.example/gh/'}]},
      'https://m.example/gh/moby/moby.git',
      'git-mirrors'
    ],
    [
      'a clone in a step by the longest prefix',
      runGit,
      {
        gitMirrors: [
          {from: 'https://github.com/', to: 'https://m.example/gh/'},
          {from: 'https://github.com/opencontainers/', to: 'https://oci.example/'}
        ]
      },
      'https://oci.example/runc.git',
      'git-mirrors'
    ],
    [
      'a file',
      file,
      {downloadMirrors: [{from: 'https://files.example/', to: 'http://m.example/f/'}]},
      'http://m.example/f/a/b.tgz',
      'download-mirrors'
    ],
    ["Debian's packages", apt, {aptMirror: 'http://m.example/os'}, 'http://m.example/os/debian', 'apt-mirror'],
    ["Alpine's packages", apk, {apkMirror: 'https://m.example'}, 'https://m.example/alpine', 'apk-mirror'],
    [
      'a Go module by the proxies before the word direct',
      module,
      {goProxy: 'https://go.example/p/,direct'},
      'https://go.example/p/example.org/m/@v/v1.0.0.info',
      'go-proxy'
    ],
    [
      'the checksum database by name',
      sumdb,
      {goSumdb: 'sum.golang.google.cn'},
      'https://sum.golang.google.cn/',
      'go-sumdb'
    ],
    [
      'the checksum database by name and URL',
      sumdb,
      {goSumdb: 'sum.example+1234+AbC= https://m.example/db'},
      'https://m.example/db/',
      'go-sumdb'
    ],
    ['Python packages', pip, {pipIndex: 'https://m.example/simple'}, 'https://m.example/simple/', 'pip-index'],
    ['gems', gem, {gemSource: 'https://m.example/gems/'}, 'https://m.example/gems/', 'gem-source']
  ])('leads %s to its mirror, also under strict', (_what, of, network, target, input) => {
    expect(route(of, {...network, strict: true})).toEqual({via: 'mirror', target, inputs: [input]})
  })

  it('leads through the proxy to the mirror when the mirror is not excepted', () => {
    const network = {aptMirror: 'http://m.example', proxies}
    expect(route(apt, network)).toEqual({
      via: 'mirror',
      target: 'http://m.example/debian',
      proxy: 'http://proxy.example:3128',
      inputs: ['apt-mirror', 'http-proxy']
    })
    expect(route(apt, {...network, proxies: {...proxies, none: 'm.example'}})?.proxy).toBeUndefined()
  })

  it.each([clone, runGit, addedGit, builtImage, file, apt, apk, module, sumdb, pip, gem])(
    'leads $kind by $fetcher through the proxy where no mirror is, without its credentials',
    of => {
      const found = route(of, {proxies, strict: true})
      expect(found).toMatchObject({via: 'proxy', proxy: 'http://proxy.example:3128'})
      expect(JSON.stringify(found)).not.toContain('secret')
    }
  )

  it.each([
    ['a daemon that does not say', image, 'created'],
    ['a builder that exists', addedGit, 'existing']
  ] as const)('leaves open which proxy %s has, and refuses that under strict', (_who, of, kind) => {
    expect(route(of, {proxies}, kind)).toMatchObject({via: 'daemon'})
    expect(route(of, {proxies, strict: true}, kind)).toMatchObject({via: 'refused'})
  })

  const daemonHas = (its: Parameters<typeof engineWith>[0], network: Partial<Network> = {}, of = image) =>
    routeEndpoints([of], networkWith({proxies, ...network}), builder('existing'), engineWith(its))[0]?.route
  const itsProxy = {proxies: {https: 'http://daemon.example:3128'}}
  const permitted = {strict: true, direct: {...networkWith().direct, registries: ['docker.io']}}

  it('is direct for a daemon without a proxy, whatever proxies the inputs name', () => {
    const inputs = ['registry-mirrors']
    expect(daemonHas({})).toEqual({via: 'direct', target: image.what, inputs})
    expect(daemonHas({}, permitted)).toMatchObject({via: 'direct'})
    expect(daemonHas({}, {strict: true})).toEqual({via: 'refused', target: image.what, inputs: [...inputs, 'strict']})
  })

  it('leads through the proxy that the daemon has, which permits nothing under strict', () => {
    const through = {proxy: 'http://daemon.example:3128', inputs: ['registry-mirrors']}
    expect(daemonHas({server: itsProxy})).toEqual({via: 'proxy', target: image.what, ...through})
    expect(daemonHas({server: itsProxy}, permitted)).toMatchObject({via: 'proxy'})
    expect(daemonHas({server: itsProxy}, {strict: true})).toMatchObject({via: 'refused'})
    const excepted = {proxies: {...itsProxy.proxies, none: 'docker.io'}}
    expect(daemonHas({server: excepted})).toMatchObject({via: 'direct'})
    expect(daemonHas({server: excepted}, {strict: true})).toMatchObject({via: 'refused'})
    const mirror = {registry: 'docker.io', host: 'm.example', path: '', scheme: 'https'} as const
    expect(daemonHas({server: itsProxy}, {strict: true, registryMirrors: [mirror]})).toMatchObject({
      via: 'mirror',
      ...through
    })
  })

  it('is left to a daemon with mirrors of its own, but for what they do not have', () => {
    const server = {registryMirrors: ['https://hub.example/']}
    expect(daemonHas({server})).toMatchObject({via: 'daemon'})
    expect(daemonHas({server}, {}, {...image, what: 'ghcr.io/a/b:1'})).toMatchObject({via: 'direct'})
    expect(daemonHas({server}, {}, {...addedGit, fetcher: 'dockerd'})).toMatchObject({via: 'direct'})
  })

  it.each<[Endpoint, string, Network['direct']]>([
    [builtImage, 'registry-mirrors', {...networkWith().direct, registries: ['docker.io']}],
    [clone, 'git-mirrors', {...networkWith().direct, git: ['https://github.com/moby/']}],
    [file, 'download-mirrors', {...networkWith().direct, downloads: ['https://files.example/']}],
    [apt, 'apt-mirror', {...networkWith().direct, apt: true}],
    [apk, 'apk-mirror', {...networkWith().direct, apk: true}]
  ])('of $kind is direct, refused under strict by %s, and permitted', (of, input, direct) => {
    expect(route(of, {})).toMatchObject({via: 'direct', inputs: [input, expect.stringMatching(/^https?-proxy$/)]})
    expect(route(of, {strict: true})).toMatchObject({via: 'refused', inputs: [input, expect.anything(), 'strict']})
    expect(route(of, {strict: true, direct})).toMatchObject({via: 'direct'})
  })

  it.each<[Endpoint, Partial<Network>]>([
    [module, {goProxy: 'https://proxy.golang.org,direct'}],
    [sumdb, {goSumdb: 'sum.golang.org'}],
    [pip, {pipIndex: 'https://pypi.org/simple/'}],
    [gem, {gemSource: 'https://rubygems.org'}]
  ])('of $kind is permitted by naming the site itself', (of, network) => {
    expect(route(of, {strict: true})).toMatchObject({via: 'refused'})
    expect(route(of, {strict: true, ...network})).toMatchObject({via: 'direct', target: of.what})
  })

  it('permits a host that the user excepts from the proxies', () => {
    const none = 'github.com'
    expect(route(clone, {strict: true, proxies: {...proxies, none}})).toMatchObject({via: 'direct'})
    expect(route(clone, {strict: true, proxies: {none}})).toMatchObject({via: 'refused'})
  })

  it('of a Go module is one for each proxy of the list', () => {
    const network = networkWith({strict: true, goProxy: 'https://one.example,https://two.example|direct'})
    expect(routeEndpoints([module], network, builder('created')).map(({route: {target}}) => target)).toEqual([
      'https://one.example/example.org/m/@v/v1.0.0.info',
      'https://two.example/example.org/m/@v/v1.0.0.info'
    ])
  })

  it("of a Go module without a proxy leads to the modules' own hosts, or nowhere", () => {
    const routed = (goProxy: string, more: Partial<Network> = {}) =>
      routeEndpoints([module], networkWith({goProxy, ...more}), builder('created'))
    expect(routed('off')).toEqual([])
    expect(routed('direct,https://never.example')).toMatchObject([{what: 'https://*/', route: {via: 'direct'}}])
    expect(routed('direct', {strict: true})).toMatchObject([
      {route: {via: 'refused', inputs: expect.arrayContaining(['go-proxy'])}}
    ])
    expect(routed('direct', {strict: true, proxies})).toMatchObject([{route: {via: 'proxy'}}])
  })

  it('of a repository on this machine is no way out', () => {
    expect(route({...clone, what: '/srv/git/moby'}, {strict: true})).toMatchObject({via: 'this machine'})
  })

  it('of the checksum database does not exist when it is off', () => {
    expect(route(sumdb, {goSumdb: 'off'})).toBeUndefined()
  })
})

describe('stepHosts', () => {
  it('are the hosts that steps reach without a proxy', () => {
    const network = networkWith({
      aptMirror: 'http://apt.example:8080',
      goProxy: 'https://go.example',
      proxies: {https: 'http://proxy.example:3128'},
      gitMirrors: [{from: 'https://github.com/', to: 'http://git.example/'}]
    })
    const routed = routeEndpoints([clone, runGit, apt, module, addedGit], network, builder('created'))
    expect(stepHosts(routed)).toEqual(['git.example', 'apt.example'])
  })

  it('leave out a repository that is named by SSH, and no URL', () => {
    const ssh = {...runGit, what: 'git@github.com:acme/moby.git'}
    expect(stepHosts(routeEndpoints([ssh, runGit], networkWith(), builder('created')))).toEqual(['github.com'])
  })
})
