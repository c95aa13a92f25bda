import type {PlannedBuilder} from '../engine/choose-builder.js'
import type {EngineFacts} from '../engine/survey-engine.js'
import type {Endpoint, Route, RoutedEndpoint} from '../network/endpoint.js'
import {parseImageReference} from '../network/images.js'
import type {Network} from '../network/network.js'
import {mirroredUrl, ruleFor} from '../network/prefix-rules.js'
import {isRouted, proxyFor, type ProxySettings} from '../network/proxy.js'
import {givenProxies} from '../network/step-proxies.js'
import {mirroredName} from '../network/survey-mirrors.js'
import {redactUrl} from '../network/url.js'

/** What is known of the daemon; nothing where there is none on this machine. */
type Daemon = Pick<EngineFacts, 'server'>

/** Finds out how each endpoint is reached, and drops those that nothing is asked of. */
export function routeEndpoints(
  endpoints: readonly Endpoint[],
  network: Network,
  builder: PlannedBuilder,
  daemon: Daemon = {}
): RoutedEndpoint[] {
  return endpoints
    .flatMap(endpoint => byGoProxy(endpoint, network))
    .flatMap(({endpoint, network: its}) => {
      const route = routeOf(endpoint, its, builder, daemon)
      return route === undefined ? [] : [{...endpoint, route}]
    })
}

/** A way before it is known what is between us and its target. */
interface Way {
  /** The URL to connect to. */
  readonly url: string
  /** What is asked for, where that is no URL. */
  readonly target?: string
  /** The input that names the mirror, or that could. */
  readonly input: string
  readonly mirrored: boolean
  /** Whether the user has said that this may be direct. */
  readonly permitted: boolean
}

/** The hosts that build steps connect to by themselves, not through a proxy. */
export function stepHosts(endpoints: readonly RoutedEndpoint[]): string[] {
  const direct = endpoints.filter(
    ({fetcher, route}) =>
      fetcher === 'build step' && route.proxy === undefined && (route.via === 'mirror' || route.via === 'direct')
  )
  // A repository by SSH may be no URL (`git@host:path`), and never goes through a proxy.
  const urls = direct.flatMap(({route}) => (URL.canParse(route.target) ? [new URL(route.target)] : []))
  return [...new Set(urls.map(({hostname}) => hostname))]
}

function routeOf(endpoint: Endpoint, network: Network, builder: PlannedBuilder, daemon: Daemon): Route | undefined {
  if (endpoint.what.startsWith('/')) return {via: 'this machine', target: endpoint.what, inputs: []}
  const way = wayTo(endpoint, network)
  if (way === undefined) return undefined
  const {url, target = url, input, mirrored, permitted} = way
  const {proxies, given} = proxiesOf(endpoint, network, builder, daemon)
  const proxy = proxies === undefined ? undefined : proxyFor(url, proxies)
  const through = proxy === undefined ? {} : {proxy: redactUrl(proxy)}
  // No input of ours changes the proxies of somebody else.
  const proxyInputs = given ? [url.startsWith('https:') ? 'https-proxy' : 'http-proxy'] : []
  if (mirrored) return {via: 'mirror', target, ...through, inputs: [input, ...(proxy === undefined ? [] : proxyInputs)]}
  // A host that is left out of the proxies was named by the user.
  const routed = given && proxies !== undefined && isRouted(url, proxies)
  if (network.strict && !permitted && !routed) {
    return {via: 'refused', target, inputs: [input, ...proxyInputs, 'strict']}
  }
  if (proxy !== undefined) {
    return {via: 'proxy', target, ...through, inputs: given ? [...proxyInputs, 'no-proxy', input] : [input]}
  }
  const known = proxies !== undefined && !hasMirrorsOfItsOwn(endpoint, daemon)
  return {via: known ? 'direct' : 'daemon', target, inputs: [input, ...proxyInputs]}
}

/** The proxies of who fetches, undefined when nobody knows them; and whether it was the user who gave them to us. */
function proxiesOf(
  {fetcher}: Endpoint,
  network: Network,
  {kind}: PlannedBuilder,
  {server}: Daemon
): {readonly proxies: ProxySettings | undefined; readonly given: boolean} {
  if (fetcher === 'dockerd') return {proxies: server?.proxies, given: false}
  if (fetcher === 'buildkitd' && kind === 'existing') return {proxies: undefined, given: false}
  return {proxies: fetcher === 'build step' ? givenProxies(network) : network.proxies, given: true}
}

/** The daemon asks mirrors from its own configuration first, which it has for Docker Hub alone. */
function hasMirrorsOfItsOwn({kind, what, fetcher}: Endpoint, {server}: Daemon): boolean {
  if (fetcher !== 'dockerd' || (kind !== 'image' && kind !== 'frontend')) return false
  return server !== undefined && server.registryMirrors.length > 0 && parseImageReference(what).registry === 'docker.io'
}

function wayTo({kind, what, fetcher}: Endpoint, network: Network): Way | undefined {
  switch (kind) {
    case 'image':
    case 'frontend':
      return imageWay(what, network)
    case 'git':
      return prefixWay(what, network.gitMirrors, network.direct.git, 'git-mirrors')
    case 'http':
      return prefixWay(what, network.downloadMirrors, network.direct.downloads, 'download-mirrors')
    case 'apt':
      return sourcesWay(what, network.aptMirror, network.direct.apt, 'apt-mirror')
    case 'apk':
      return sourcesWay(what, network.apkMirror, network.direct.apk, 'apk-mirror')
    case 'go':
      return goWay(what, network)
    case 'sumdb':
      return sumdbWay(what, network)
    case 'pip':
      return siteWay(what, network.pipIndex, 'pip-index')
    case 'gem':
      return siteWay(what, network.gemSource, 'gem-source')
    default:
      throw new Error(`${String(kind)} by ${fetcher} has no route`)
  }
}

function imageWay(image: string, {registryMirrors, direct}: Network): Way {
  const reference = parseImageReference(image)
  const mirror = registryMirrors.find(({registry}) => registry === reference.registry)
  return {
    url: mirror === undefined ? `https://${reference.registry}/` : `${mirror.scheme}://${mirror.host}/`,
    target: mirror === undefined ? image : mirroredName(mirror, reference),
    input: 'registry-mirrors',
    mirrored: mirror !== undefined,
    permitted: direct.registries.includes(reference.registry)
  }
}

function prefixWay(url: string, rules: Network['gitMirrors'], permitted: readonly string[], input: string): Way {
  const rule = ruleFor(url, rules)
  return {
    url: rule === undefined ? url : mirroredUrl(url, rule),
    input,
    mirrored: rule !== undefined,
    permitted: permitted.some(prefix => url.startsWith(prefix))
  }
}

/** Packages: of their URLs everything but the path is replaced. */
function sourcesWay(url: string, mirror: string | undefined, permitted: boolean, input: string): Way {
  return {
    url: mirror === undefined ? url : url.replace(/^https?:\/\/[^/]+/, mirror),
    input,
    mirrored: mirror !== undefined,
    permitted
  }
}

/**
 * What Go asks for a module. Of a list of proxies it asks the others for what the first does not have (go.dev/ref/mod,
 * GOPROXY): each is an endpoint. With `direct` in their place it asks the hosts of the modules, with `off` nobody.
 */
function byGoProxy(endpoint: Endpoint, network: Network): {readonly endpoint: Endpoint; readonly network: Network}[] {
  if (endpoint.kind !== 'go' || network.goProxy === undefined) return [{endpoint, network}]
  const entries = network.goProxy.split(/[,|]/)
  const end = entries.findIndex(entry => !entry.startsWith('http'))
  if (end === 0) {
    const origins = {...endpoint, what: 'https://*/', hosts: []}
    return entries[0] === 'direct' ? [{endpoint: origins, network: {...network, goProxy: 'direct'}}] : []
  }
  const proxies = end < 0 ? entries : entries.slice(0, end)
  return proxies.map(goProxy => ({endpoint, network: {...network, goProxy}}))
}

/** By one proxy, or without any. */
function goWay(url: string, {goProxy}: Network): Way {
  return siteWay(url, goProxy === 'direct' ? undefined : goProxy, 'go-proxy')
}

/** `off`, a name, or a name and a URL (go.dev/ref/mod, GOSUMDB). */
function sumdbWay(url: string, {goSumdb}: Network): Way | undefined {
  if (goSumdb === 'off') return undefined
  const [name = '', site] = (goSumdb ?? '').split(' ')
  return siteWay(url, site ?? (name === '' ? undefined : `https://${name.replace(/\+.*$/, '')}`), 'go-sumdb')
}

/** A site that stands in for another one, paths alike; its own URL permits the direct way. */
function siteWay(url: string, site: string | undefined, input: string): Way {
  const {origin} = new URL(url)
  if (site === undefined || new URL(site).origin === origin) {
    return {url, input, mirrored: false, permitted: site !== undefined}
  }
  const path = input === 'pip-index' ? '' : url.slice(origin.length)
  return {url: site.replace(/\/+$/, '') + (path === '' ? '/' : path), input, mirrored: true, permitted: true}
}
