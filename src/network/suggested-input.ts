import type {EndpointKind, RoutedEndpoint} from './endpoint.js'
import type {Finding} from './finding.js'
import {parseImageReference} from './images.js'
import type {Network} from './network.js'
import {ruleFor} from './prefix-rules.js'
import {proxyFor} from './proxy.js'
import {redactUrl} from './url.js'

/** What is fetched, as an endpoint has it; `what` is empty when nobody knows. */
export type Download = Pick<RoutedEndpoint, 'kind' | 'what'>
type Rules = Pick<Network, 'gitMirrors' | 'downloadMirrors'>

/** What a mirror's line may say. Names such as `mirror.example` are for the user to fill in. */
const examples: Readonly<Record<EndpointKind, string>> = {
  image: 'mirror.example',
  frontend: 'mirror.example',
  git: 'https://mirror.example/',
  http: 'https://mirror.example/',
  apt: 'https://mirror.example',
  apk: 'https://mirror.example',
  go: 'https://goproxy.example',
  sumdb: 'sum.golang.org https://mirror.example',
  pip: 'https://mirror.example/simple',
  gem: 'https://mirror.example'
}

/** The line that makes an authority trusted everywhere. */
export const authorityLine = 'ca-certificates: path/of/authority.pem'

/** The line of the workflow that sends a download to a mirror, or to another one than `rules` do. */
export function mirrorLine(download: Download, rules: Rules): string {
  return lineStart(download, rules) + examples[download.kind]
}

/** The line that lets a download go where the tree says, although nothing else may. */
export function permissionLine(download: Download, rules: Rules): string {
  return lineStart(download, rules) + permission(download)
}

/** The line of the mirror in use, with http in place of https. */
export function plainMirrorLine(download: Download, network: Network): string {
  return lineStart(download, network) + plainMirror(download, network)
}

/** The line of a proxy, in use or to be filled in, with a user and a password to fill in. */
export function proxyLine(input: 'http-proxy' | 'https-proxy', proxy = 'http://proxy.example:3128'): string {
  return `${input}: ${redactUrl(proxy).replace('://', '://user:password@')}`
}

/** The line of the workflow that would mend what was found. */
export function suggestedInput(endpoint: RoutedEndpoint, finding: Finding, network: Network): string {
  const {reason, asked} = finding
  const input = asked.startsWith('http:') ? 'http-proxy' : 'https-proxy'
  const proxy = proxyFor(asked, network.proxies)
  if (reason === 'unknown authority') return authorityLine
  if (reason === 'no TLS' && endpoint.route.via === 'mirror') return plainMirrorLine(endpoint, network)
  if (proxy === undefined || !(finding.state === 'proxy denied' || reason === 'proxy unreachable')) {
    return mirrorLine(endpoint, network)
  }
  if (reason === 'proxy unreachable') return `${input}: http://proxy.example:3128`
  if (reason === 'proxy login') return proxyLine(input, proxy)
  // It lets nobody through to this host.
  const {none = ''} = network.proxies
  return `no-proxy: ${[none, new URL(asked).hostname].filter(part => part !== '').join(',')}`
}

/** The input, and which of its lines it is. */
function lineStart({kind, what}: Download, {gitMirrors, downloadMirrors}: Rules): string {
  if (kind === 'image' || kind === 'frontend') return `registry-mirrors: ${parseImageReference(what).registry}=`
  if (kind === 'git') return `git-mirrors: ${prefixOf(what, gitMirrors)}=`
  if (kind === 'http') return `download-mirrors: ${prefixOf(what, downloadMirrors)}=`
  return `${siteInputs[kind]}: `
}

const siteInputs = {
  apt: 'apt-mirror',
  apk: 'apk-mirror',
  go: 'go-proxy',
  sumdb: 'go-sumdb',
  pip: 'pip-index',
  gem: 'gem-source'
}

/** Of Go, pip and gem the original, when named, is a permission. */
function permission({kind, what}: Download): string {
  if (kind === 'go') return prefixOf(what, []).replace(/\/$/, '')
  if (kind === 'sumdb') return prefixOf(what, []).replace(/^https?:\/\/|\/$/g, '')
  return kind === 'pip' || kind === 'gem' ? what : 'direct'
}

function plainMirror({kind, what}: Download, network: Network): string {
  if (kind === 'image' || kind === 'frontend') {
    const {registry} = parseImageReference(what)
    const mirror = network.registryMirrors.find(each => each.registry === registry)
    return `http://${mirror?.host ?? ''}${mirror?.path ? `/${mirror.path}` : ''}`
  }
  const mirrors = {
    git: ruleFor(what, network.gitMirrors)?.to,
    http: ruleFor(what, network.downloadMirrors)?.to,
    apt: network.aptMirror,
    apk: network.apkMirror,
    go: network.goProxy,
    sumdb: network.goSumdb,
    pip: network.pipIndex,
    gem: network.gemSource
  }
  return mirrors[kind]?.replaceAll('https:', 'http:') ?? ''
}

/** The prefix of the rule in effect, which a longer one alone would change; else everything at the URL's host. */
function prefixOf(url: string, rules: Network['gitMirrors']): string {
  if (url === '') return 'https://upstream.example/'
  return ruleFor(url, rules)?.from ?? url.replace(/^([a-z]+:\/\/[^/]+\/?).*$/, '$1').replace(/([^/])$/, '$1/')
}
