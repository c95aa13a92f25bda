import type {RoutedEndpoint} from './endpoint.js'
import type {Finding} from './finding.js'
import {parseImageReference} from './images.js'
import type {Network} from './network.js'
import {ruleFor} from './prefix-rules.js'
import {proxyFor} from './proxy.js'
import {redactUrl} from './url.js'

/** The line of the workflow that would change how an endpoint is reached: that of its mirror. */
export function mirrorLine(endpoint: RoutedEndpoint, network: Network): string {
  const {kind, what} = endpoint
  switch (kind) {
    case 'image':
    case 'frontend':
      return `registry-mirrors: ${parseImageReference(what).registry}=mirror.example`
    case 'git':
      return `git-mirrors: ${prefixOf(what, network.gitMirrors)}=https://mirror.example/`
    case 'http':
      return `download-mirrors: ${prefixOf(what, network.downloadMirrors)}=https://mirror.example/`
    case 'apt':
      return 'apt-mirror: https://mirror.example'
    case 'apk':
      return 'apk-mirror: https://mirror.example'
    case 'go':
      return 'go-proxy: https://mirror.example'
    case 'sumdb':
      return 'go-sumdb: sum.golang.org https://mirror.example'
    case 'pip':
      return 'pip-index: https://mirror.example/simple'
    case 'gem':
      return 'gem-source: https://mirror.example'
  }
}

/** The line of the workflow that would mend what was found. Names such as `mirror.example` are for the user to fill in. */
export function suggestedInput(endpoint: RoutedEndpoint, finding: Finding, network: Network): string {
  const {reason, asked} = finding
  const input = asked.startsWith('http:') ? 'http-proxy' : 'https-proxy'
  const proxy = proxyFor(asked, network.proxies)
  if (reason === 'unknown authority') return 'ca-certificates: path/of/authority.pem'
  if (reason === 'no TLS' && endpoint.route.via === 'mirror') return plainMirrorLine(endpoint, network)
  if (proxy === undefined || !(finding.state === 'proxy denied' || reason === 'proxy unreachable')) {
    return mirrorLine(endpoint, network)
  }
  if (reason === 'proxy unreachable') return `${input}: http://proxy.example:3128`
  if (reason === 'proxy login') return `${input}: ${redactUrl(proxy).replace('://', '://user:password@')}`
  // It lets nobody through to this host.
  const {none = ''} = network.proxies
  return `no-proxy: ${[none, new URL(asked).hostname].filter(part => part !== '').join(',')}`
}

/** The line of a mirror that is there, with http in place of https. */
function plainMirrorLine(endpoint: RoutedEndpoint, network: Network): string {
  const plain = (url: string | undefined) => url?.replace(/^https:/, 'http:') ?? ''
  const {kind, what} = endpoint
  const [name = ''] = mirrorLine(endpoint, network).split(':')
  if (kind === 'image' || kind === 'frontend') {
    const {registry} = parseImageReference(what)
    const mirror = network.registryMirrors.find(each => each.registry === registry)
    return `${name}: ${registry}=http://${mirror?.host ?? ''}${mirror?.path ? `/${mirror.path}` : ''}`
  }
  if (kind === 'git' || kind === 'http') {
    const rule = ruleFor(what, kind === 'git' ? network.gitMirrors : network.downloadMirrors)
    return `${name}: ${rule?.from ?? ''}=${plain(rule?.to)}`
  }
  const mirrors = {
    apt: network.aptMirror,
    apk: network.apkMirror,
    go: network.goProxy?.replaceAll('https:', 'http:'),
    sumdb: network.goSumdb?.replace(' https:', ' http:'),
    pip: network.pipIndex,
    gem: network.gemSource
  }
  return `${name}: ${plain(mirrors[kind])}`
}

/** The prefix of the rule in effect, else everything at the URL's host. */
function prefixOf(url: string, rules: Network['gitMirrors']): string {
  return ruleFor(url, rules)?.from ?? url.replace(/^([a-z]+:\/\/[^/]+\/?).*$/, '$1').replace(/([^/])$/, '$1/')
}
