import {describe, expect, it} from '@jest/globals'
import type {Inputs} from '../../../src/inputs.js'
import type {PlanFacts} from '../../../src/plan/make-plan.js'
import {daemonComponent, daemonDockerfile, engineWith, planWith, sourceWith} from '../../support/plan.js'

const mirrors = [{registry: 'docker.io', host: '10.0.0.1:5000', path: 'hub', scheme: 'http'}] as const
const gitMirrors = [{from: 'https://github.com/', to: 'https://mirror.example/gh/'}]
const proxies = {http: 'http://me:pass@proxy.example:1', https: 'http://me:pass@proxy.example:2'}
const created = {engine: engineWith({builder: {exportsCaches: false}})}

/** Routes as `kind what: via`, of the daemon alone. */
const routes = (inputs: Partial<Inputs>, facts: Partial<PlanFacts> = {}) =>
  planWith(inputs, {components: [daemonComponent()], ...facts}).routes.map(
    ({kind, what, via}) => `${kind} ${what}: ${via}`
  )

describe('the routes of a plan', () => {
  it('name everything from outside, who fetches it and where the tree asks for it', () => {
    expect(planWith({}, {components: [daemonComponent()]}).routes).toEqual([
      {kind: 'git', what: 'moby/moby', by: 'action', via: 'direct'},
      {
        kind: 'frontend',
        what: 'docker.io/docker/dockerfile:1',
        by: 'builder',
        via: "direct, or the daemon's own proxy",
        from: 'daemon Dockerfile:1'
      },
      {
        kind: 'image',
        what: 'docker.io/tonistiigi/xx:1.7.0',
        by: 'builder',
        via: "direct, or the daemon's own proxy",
        from: 'daemon Dockerfile:5'
      },
      {
        kind: 'image',
        what: 'docker.io/library/golang:1.24.9-bookworm',
        by: 'builder',
        via: "direct, or the daemon's own proxy",
        from: 'daemon Dockerfile:6'
      },
      {
        kind: 'git',
        what: 'https://github.com/opencontainers/runc.git',
        by: 'builder',
        via: "direct, or the daemon's own proxy",
        from: 'daemon Dockerfile:10'
      },
      {kind: 'apt', what: 'Debian and Ubuntu packages', by: 'build step', via: 'direct'},
      {kind: 'go', what: 'Go modules', by: 'build step', via: 'direct'},
      {kind: 'git', what: 'repositories on github.com', by: 'build step', via: 'direct'}
    ])
  })

  it('lead to the mirrors', () => {
    const inputs = {gitMirrors, aptMirror: 'http://apt.example', goProxy: 'https://goproxy.example,direct'}
    expect(routes(inputs, {mirrors})).toEqual([
      'git moby/moby: mirror https://mirror.example/gh/',
      'frontend docker.io/docker/dockerfile:1: mirror 10.0.0.1:5000/hub',
      'image docker.io/tonistiigi/xx:1.7.0: mirror 10.0.0.1:5000/hub',
      'image docker.io/library/golang:1.24.9-bookworm: mirror 10.0.0.1:5000/hub',
      'git https://github.com/opencontainers/runc.git: mirror https://mirror.example/gh/',
      'apt Debian and Ubuntu packages: mirror http://apt.example',
      'go Go modules: mirror https://goproxy.example,direct',
      'git repositories on github.com: mirror https://mirror.example/gh/'
    ])
  })

  it('lead through the proxies, shown without their credentials', () => {
    expect(routes({proxies}, created)).toEqual([
      'git moby/moby: proxy http://proxy.example:2',
      'frontend docker.io/docker/dockerfile:1: proxy http://proxy.example:2',
      'image docker.io/tonistiigi/xx:1.7.0: proxy http://proxy.example:2',
      'image docker.io/library/golang:1.24.9-bookworm: proxy http://proxy.example:2',
      'git https://github.com/opencontainers/runc.git: proxy http://proxy.example:2',
      'apt Debian and Ubuntu packages: proxy http://proxy.example:1',
      'go Go modules: proxy http://proxy.example:2',
      'git repositories on github.com: proxy http://proxy.example:2'
    ])
  })

  it('heed no-proxy', () => {
    const shown = routes({proxies: {...proxies, none: '.example,github.com'}}, created)
    expect(shown).toContain('apt Debian and Ubuntu packages: direct')
    expect(shown).toContain('git moby/moby: direct')
    expect(shown).toContain('go Go modules: proxy http://proxy.example:2')
  })

  it('do not promise the proxies of the inputs for a builder that was there before', () => {
    const remote = engineWith({builder: {driver: 'remote', name: 'far'}})
    expect(routes({proxies, builder: 'far'}, {engine: remote})).toContain(
      "image docker.io/tonistiigi/xx:1.7.0: direct, or the builder's own proxy"
    )
  })

  it.each([
    ['/srv/git/moby', '/srv/git/moby', 'this machine'],
    ['git@git.example:acme/moby', 'git@git.example:acme/moby', 'direct'],
    ['ssh://git@git.example/moby', 'ssh://git@git.example/moby', 'direct'],
    ['acme/moby', 'https://github.acme.example/acme/moby.git', 'proxy http://proxy.example:2']
  ])('of the checkout of %s by its URL %s: %s', (repository, url, via) => {
    const components = [daemonComponent({source: sourceWith({repository, url})})]
    expect(routes({proxies, gitMirrors}, {components})[0]).toBe(`git ${repository}: ${via}`)
  })

  it('of files that the tree adds heed no git mirror', () => {
    const Dockerfile = daemonDockerfile.replace(/^ADD .*$/m, 'ADD https://github.com/a/b/releases/c.tar /')
    const components = [daemonComponent({tree: {Dockerfile}})]
    expect(routes({gitMirrors, proxies}, {components, ...created})).toContain(
      'http https://github.com/a/b/releases/c.tar: proxy http://proxy.example:2'
    )
  })

  it('of repositories that the tree adds over SSH are direct', () => {
    const Dockerfile = daemonDockerfile.replace(/^ADD .*$/m, 'ADD git@github.com:a/b.git /')
    const components = [daemonComponent({tree: {Dockerfile}})]
    expect(routes({proxies}, {components, ...created})).toContain('git github.com:a/b.git: direct')
  })

  it('tell of a frontend that is built in', () => {
    const components = [daemonComponent({mirrorHasFrontend: false})]
    expect(routes({}, {components, mirrors, engine: engineWith({builder: {buildkit: [0, 25, 0]}})})).toContain(
      'frontend Dockerfile frontend: built in'
    )
  })
})
