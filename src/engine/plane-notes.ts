import type {Inputs} from '../inputs.js'
import type {RoutedEndpoint} from '../network/endpoint.js'
import {parseImageReference} from '../network/images.js'
import type {Network} from '../network/network.js'
import {proxyFor, type ProxySettings} from '../network/proxy.js'
import {permissionLine} from '../network/suggested-input.js'
import {redactUrl} from '../network/url.js'
import {builderUrls, isLoopbackUrl, refusedMirrors, stepUrls, type PlannedBuilder} from './choose-builder.js'
import type {EngineFacts} from './survey-engine.js'

/**
 * What the reader must know of the planes that the inputs do not reach: the daemon's own pulls, a builder that exists
 * already, and what the docker client's configuration gives to build steps. Each note says what is in effect there, and
 * what to set. `endpoints` are all that the run asks, with their routes. None holds a credential.
 */
export function planeNotes(
  inputs: Inputs,
  network: Network,
  engine: EngineFacts,
  builder: PlannedBuilder,
  endpoints: readonly RoutedEndpoint[]
): string[] {
  const {creation, driver} = builder
  const ofBuilder =
    creation !== undefined
      ? imagePullNotes(creation, network, engine)
      : driver === 'docker'
        ? daemonNotes(network, engine, endpoints)
        : strangerNotes(network, builder)
  return [
    ...ofBuilder,
    ...(builder.kind === 'existing' ? existingNotes(network, builder, endpoints) : []),
    ...stepNotes(network, engine),
    ...((inputs.cache === 'off' && inputs.cacheTo.length === 0) || builder.exportsCaches
      ? []
      : [`The builder '${builder.name}' cannot export layer caches, so none are kept.`])
  ]
}

/** A builder that is the daemon itself: it fetches the images and what the tree adds. */
function daemonNotes(network: Network, engine: EngineFacts, endpoints: readonly RoutedEndpoint[]): string[] {
  const notes = []
  const {proxies = {}, registryMirrors = []} = engine.server ?? {}
  if (isSet(proxies)) {
    notes.push(
      `The Docker daemon fetches images and ADD sources through its own ${describeProxies(proxies)}, those on mirrors included: 'proxies' in its daemon.json says so, with no-proxy for the hosts that it should ask directly.`
    )
  } else if (isSet(network.proxies) && endpoints.some(isFetchedDirectly)) {
    notes.push(
      `The Docker daemon has no proxy of its own, so images and ADD sources that no mirror covers are fetched directly. Set 'proxies' in its daemon.json if that cannot work.`
    )
  }
  const mirrorless = network.registryMirrors.every(({registry}) => registry !== 'docker.io')
  if (registryMirrors.length > 0 && mirrorless && !network.strict) {
    notes.push(
      `The Docker daemon asks its own mirrors of Docker Hub first (registry-mirrors in its daemon.json): ${registryMirrors.join(', ')}.`
    )
  }
  if (network.certificates !== undefined) {
    const hosts = secureHosts(network).join(', ')
    notes.push(
      `The Docker daemon does not get 'ca-certificates', which images and ADD sources may need: add them to the certificates of its machine (update-ca-certificates) and restart it${hosts === '' ? '' : `; for images from ${hosts} /etc/docker/certs.d/HOST/ca.crt is enough`}.`
    )
  }
  return notes
}

/** A builder of another driver, made by somebody else. */
function strangerNotes({registryMirrors, proxies, certificates}: Network, {name}: PlannedBuilder): string[] {
  const notes = []
  const plain = registryMirrors.filter(({scheme}) => scheme === 'http').map(({host}) => host)
  if (plain.length > 0) {
    notes.push(
      `The builder '${name}' must have been told to use plain HTTP with ${plain.join(', ')}: [registry."${plain[0] ?? ''}"] http = true in its buildkitd.toml.`
    )
  }
  if (isSet(proxies)) {
    notes.push(`The builder '${name}' fetches images and ADD sources with the proxies it was created with.`)
  }
  if (certificates !== undefined) {
    notes.push(
      `The builder '${name}' does not get 'ca-certificates': they must be among the certificates of its container (/etc/ssl/certs/ca-certificates.crt), where it looks for registries and ADD sources alike.`
    )
  }
  return notes
}

/** Whether the daemon fetches it without a mirror or proxy that anybody knows of. */
function isFetchedDirectly({fetcher, route}: RoutedEndpoint): boolean {
  return fetcher === 'dockerd' && (route.via === 'direct' || route.via === 'daemon')
}

function existingNotes(
  network: Network,
  {name, driver}: PlannedBuilder,
  endpoints: readonly RoutedEndpoint[]
): string[] {
  const notes = []
  // The daemon is on this machine, and so is what it finds on its loopback.
  const urls = driver === 'docker' ? stepUrls(network) : [...stepUrls(network), ...builderUrls(network)]
  if (urls.some(isLoopbackUrl)) {
    notes.push(
      'A mirror or proxy is on a loopback address, which means the build container itself to a build step: give an address that containers reach.'
    )
  }
  const refused = endpoints.filter(({fetcher, route}) => isOfBuilder(fetcher) && route.via === 'refused')
  if (refused.length > 0 && isSet(network.proxies)) {
    const permissions = [...new Set(refused.map(endpoint => permissionLine(endpoint, network)))]
    notes.push(
      `Under 'strict' the builder '${name}' takes images and ADD sources from mirrors and from what is permitted with '=direct' alone, as the proxies of the inputs do not reach it and its own do not count. Name a mirror for what is refused, or permit it: ${permissions.join('; ')}.`
    )
  }
  return notes
}

function isOfBuilder(fetcher: RoutedEndpoint['fetcher']): boolean {
  return fetcher === 'dockerd' || fetcher === 'buildkitd'
}

/** The image of a created builder is pulled by the daemon, with what the daemon has of its own. */
function imagePullNotes(
  {image, upstreamImage}: NonNullable<PlannedBuilder['creation']>,
  network: Network,
  engine: EngineFacts
): string[] {
  const notes = []
  const {registry} = parseImageReference(image)
  const url = `${network.registryMirrors.find(({host}) => host === registry)?.scheme ?? 'https'}://${registry}/`
  const refused = refusedMirrors(network, engine).find(
    mirror => mirror.registry === parseImageReference(upstreamImage).registry
  )
  if (image === upstreamImage && refused !== undefined) {
    notes.push(
      `The Docker daemon pulls BuildKit's own image from ${registry} and not from ${refused.host}, as it refuses plain HTTP: add {"insecure-registries": ${JSON.stringify([refused.host])}} to its daemon.json.`
    )
  }
  const daemons = engine.server?.proxies ?? {}
  const own = proxyFor(url, daemons)
  if (own !== undefined) {
    notes.push(`The Docker daemon pulls BuildKit's own image ${image} through its own proxy ${own}.`)
  } else if (proxyFor(url, network.proxies) !== undefined) {
    notes.push(
      `The Docker daemon pulls BuildKit's own image ${image} without a proxy, as it has none of its own for ${registry}: set 'proxies' in its daemon.json if that cannot work.`
    )
  }
  if (network.certificates !== undefined && url.startsWith('https:')) {
    notes.push(
      `The Docker daemon pulls BuildKit's own image ${image} without 'ca-certificates': if ${registry} needs them, put them in /etc/docker/certs.d/${registry}/ca.crt, or, behind a proxy that inspects TLS, add them to the certificates of its machine (update-ca-certificates) and restart the daemon.`
    )
  }
  return notes
}

function stepNotes(network: Network, {clientProxies}: EngineFacts): string[] {
  if (isSet(network.proxies) || !isSet(clientProxies)) return []
  return [
    `Build steps get the ${describeProxies(clientProxies)} of the docker client's configuration ('proxies' in its config.json), as the inputs and the environment name none; nothing else uses it.`
  ]
}

function isSet({http, https}: ProxySettings): boolean {
  return http !== undefined || https !== undefined
}

/** `proxy http://one:3128`, or both when they differ. */
function describeProxies({http, https}: ProxySettings): string {
  const shown = [...new Set([http, https].flatMap(proxy => (proxy === undefined ? [] : [redactUrl(proxy)])))]
  return `${shown.length > 1 ? 'proxies' : 'proxy'} ${shown.join(' and ')}`
}

function secureHosts({registryMirrors}: Network): string[] {
  return [...new Set(registryMirrors.filter(({scheme}) => scheme === 'https').map(({host}) => host))]
}
