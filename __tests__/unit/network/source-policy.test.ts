import {describe, expect, it} from '@jest/globals'
import type {Network} from '../../../src/network/network.js'
import {mirrorName, sourcePolicy, type SourcePolicyRule} from '../../../src/network/source-policy.js'
import {networkWith} from '../../support/network.js'

const hub = {registry: 'docker.io', host: '10.0.0.1:5000', path: 'hub', scheme: 'http'} as const
const github = {from: 'https://github.com/', to: 'https://mirror.example/gh/'}
const git = (url: string) => ({kind: 'git', url, line: 1}) as const

interface Case extends Partial<Network> {
  readonly adds?: readonly string[]
  readonly proxied?: boolean
}

function rulesFor({adds = [], proxied = false, ...network}: Case): readonly SourcePolicyRule[] {
  return sourcePolicy(networkWith(network), {adds: adds.map(git), proxied})?.rules ?? []
}

/** As moby/buildkit sourcepolicy/engine.go: where the source comes from in the end, or `denied`. */
function evaluate(rules: readonly SourcePolicyRule[], source: string, url = source.replace(/#.*$/, '')): string {
  for (let round = 0; round < 20; round++) {
    let denied = false
    let converted: string | undefined
    for (const {action, selector, updates} of rules) {
      const pattern =
        selector.match_type === 'REGEX'
          ? selector.identifier
          : `^${selector.identifier.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '(.*)')}$`
      const match = new RegExp(pattern).exec(source)
      const meets = (selector.constraints ?? []).every(({value}) => new RegExp(value).test(url))
      if (match === null || !meets) continue
      if (action !== 'CONVERT') denied = action === 'DENY'
      else {
        converted = (updates?.identifier ?? '').replace('${1}', match[1] ?? '')
        url = updates?.attrs?.['git.fullurl'] ?? url
        break
      }
    }
    if (converted === undefined || converted === source) return denied ? 'denied' : source
    source = converted
  }
  return 'too many mutations'
}

describe('sourcePolicy', () => {
  it.each<[string, Case]>([
    ['nothing is mirrored', {adds: ['https://github.com/a/b.git']}],
    ['no rule covers a repository', {gitMirrors: [github], adds: ['https://gitlab.com/a/b.git']}],
    ['nothing is added', {gitMirrors: [github]}]
  ])('is none when %s', (_what, given) => {
    const {adds = [], ...network} = given
    expect(sourcePolicy(networkWith(network), {adds: adds.map(git), proxied: true})).toBeUndefined()
  })

  it('sends every image of a registry to its mirror', () => {
    const plain = {registry: 'ghcr.io', host: 'mirror.example', path: '', scheme: 'https'} as const
    expect(rulesFor({registryMirrors: [hub, plain]})).toEqual([
      {
        action: 'CONVERT',
        selector: {identifier: 'docker-image://docker.io/*', match_type: 'WILDCARD'},
        updates: {identifier: 'docker-image://10.0.0.1:5000/hub/${1}'}
      },
      {
        action: 'CONVERT',
        selector: {identifier: 'docker-image://ghcr.io/*', match_type: 'WILDCARD'},
        updates: {identifier: 'docker-image://mirror.example/${1}'}
      }
    ])
  })

  it('names the full URL of each mirrored repository once, and keeps the ref', () => {
    const adds = [
      'https://github.com/a/b.git?ref=v1&keep-git-dir=1',
      'https://github.com/c/d.git#v2',
      'https://github.com/a/b.git#v3'
    ]
    expect(rulesFor({gitMirrors: [github], adds})).toEqual(
      ['a/b.git', 'c/d.git'].map(path => ({
        action: 'CONVERT',
        selector: {identifier: `git://github.com/${path}*`, match_type: 'WILDCARD'},
        updates: {
          identifier: `git://mirror.example/gh/${path}\${1}`,
          attrs: {'git.fullurl': `https://mirror.example/gh/${path}`}
        }
      }))
    )
  })

  it('identifies a mirror that has a whole URL in its path as BuildKit does', () => {
    const nested = {from: 'https://github.com/', to: 'https://mirror.example/https://github.com/'}
    const rules = rulesFor({gitMirrors: [nested], adds: ['https://github.com/a/b.git#v1'], strict: true})
    expect(rules[0]?.updates).toEqual({
      identifier: 'git://mirror.example/https:/github.com/a/b.git${1}',
      attrs: {'git.fullurl': 'https://mirror.example/https://github.com/a/b.git'}
    })
    expect(evaluate(rules, 'git://github.com/a/b.git#v1')).toBe('git://mirror.example/https:/github.com/a/b.git#v1')
  })

  it.each([
    ['https://github.com/moby/a.git', 'https://moby.example/a.git'],
    ['https://github.com/docker/a.git', 'https://mirror.example/gh/docker/a.git']
  ])('sends %s by the longest prefix to %s', (url, mirrored) => {
    const narrow = {from: 'https://github.com/moby/', to: 'https://moby.example/'}
    const [rule] = rulesFor({gitMirrors: [github, narrow], adds: [url]})
    expect(rule?.updates?.attrs).toEqual({'git.fullurl': mirrored})
  })

  it.each([
    ['https://go.dev/dl/go.tgz', 'http://mirror.example/go/go.tgz'],
    ['https://go.dev/blog?x=1', 'http://mirror.example/rest/blog?x=1'],
    ['http://go.dev/dl/go.tgz', 'http://go.dev/dl/go.tgz'],
    ['https://example.com/https://go.dev/dl/', 'https://example.com/https://go.dev/dl/']
  ])('sends the file %s by the longest prefix to %s', (url, mirrored) => {
    const downloadMirrors = [
      {from: 'https://go.dev/', to: 'http://mirror.example/rest/'},
      {from: 'https://go.dev/dl/', to: 'http://mirror.example/go/'}
    ]
    expect(evaluate(rulesFor({downloadMirrors}), url)).toBe(mirrored)
  })
})

describe('the wall of strict', () => {
  const direct = {
    registries: ['quay.io'],
    git: ['https://gitlab.com/acme/'],
    downloads: ['https://files.example/p'],
    apt: true,
    apk: false
  }
  const strict = {
    strict: true,
    registryMirrors: [hub],
    gitMirrors: [github],
    downloadMirrors: [{from: 'https://go.dev/dl/', to: 'https://mirror.example/go/'}],
    direct,
    adds: ['https://github.com/a/b.git']
  }

  it.each([
    [
      'docker-image://docker.io/library/golang:1@sha256:ab',
      'docker-image://10.0.0.1:5000/hub/library/golang:1@sha256:ab'
    ],
    ['docker-image://10.0.0.1:5000/hub/library/golang:1', 'docker-image://10.0.0.1:5000/hub/library/golang:1'],
    ['docker-image://10.0.0.1:5000/other/golang:1', 'denied'],
    ['docker-image://quay.io/acme/x:1', 'docker-image://quay.io/acme/x:1'],
    ['docker-image://ghcr.io/acme/x:1', 'denied'],
    ['git://github.com/a/b.git#v1', 'git://mirror.example/gh/a/b.git#v1'],
    ['git://github.com/not/scanned.git#v1', 'denied'],
    ['git://gitlab.com/acme/b.git', 'git://gitlab.com/acme/b.git'],
    ['git://gitlab.com/other/b.git', 'denied'],
    ['https://go.dev/dl/go.tgz', 'https://mirror.example/go/go.tgz'],
    ['https://go.dev/other', 'denied'],
    ['https://files.example/p1', 'https://files.example/p1'],
    ['https://files.example/q', 'denied'],
    ['http://anywhere.example/', 'denied'],
    ['local://context', 'local://context'],
    ['oci-layout://cache@sha256:ab', 'oci-layout://cache@sha256:ab']
  ])('takes %s from %s', (source, from) => {
    expect(evaluate(rulesFor(strict), source)).toBe(from)
  })

  it.each<[string, string, Network['proxies'], string]>([
    ['an image', 'docker-image://ghcr.io/acme/x:1', {https: 'http://proxy.example'}, 'allowed'],
    ['an image', 'docker-image://ghcr.io/acme/x:1', {http: 'http://proxy.example'}, 'denied'],
    ['a file', 'https://anywhere.example/', {https: 'http://proxy.example'}, 'allowed'],
    ['a file', 'https://anywhere.example/', {http: 'http://proxy.example'}, 'denied'],
    ['a file', 'http://anywhere.example/', {http: 'http://proxy.example'}, 'allowed'],
    ['https://gitlab.com/a/b.git', 'git://gitlab.com/a/b.git#v1', {https: 'http://proxy.example'}, 'allowed'],
    ['https://gitlab.com/a/b.git', 'git://gitlab.com/a/b.git#v1', {http: 'http://proxy.example'}, 'denied'],
    ['git@gitlab.com:a/b.git', 'git://gitlab.com/a/b.git#v1', {https: 'http://proxy.example'}, 'denied']
  ])('lets %s (%s) through the proxies %j of a builder of its own: %s', (url, source, proxies, expected) => {
    const decide = (proxied: boolean) => evaluate(rulesFor({strict: true, proxies, proxied}), source, url)
    expect(decide(true)).toBe(expected === 'allowed' ? source : 'denied')
    expect(decide(false)).toBe('denied')
  })

  it('does not let a selector look like another one, as BuildKit up to 0.25 would mix up what they constrain', () => {
    const rules = rulesFor({...strict, proxies: {http: 'http://a', https: 'http://b'}, proxied: true})
    const constrained = rules.filter(({selector}) => selector.constraints !== undefined)
    for (const {selector} of constrained) {
      const alike = rules.filter(
        other => other.selector.identifier === selector.identifier && other.selector.match_type === selector.match_type
      )
      expect(alike).toHaveLength(1)
    }
    expect(constrained).toHaveLength(1)
  })
})

describe('mirrorName', () => {
  it('is host and path as an image name begins with them', () => {
    expect(mirrorName(hub)).toBe('10.0.0.1:5000/hub')
    expect(mirrorName({host: 'mirror.example', path: ''})).toBe('mirror.example')
  })
})
