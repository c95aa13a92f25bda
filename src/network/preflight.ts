import type {Clock, Prober} from '../ports.js'
import {type Ask, asker, mayPassSoon} from './ask.js'
import type {RoutedEndpoint} from './endpoint.js'
import {type Finding, isGood} from './finding.js'
import type {Network} from './network.js'
import {probe, type ProbeContext} from './probe.js'
import {proxyFor, proxySettings, type ProxySettings} from './proxy.js'
import {givenProxies, stepProxies, wall} from './step-proxies.js'
import {mirrorLine, suggestedInput} from './suggested-input.js'
import {isHttpUrl} from './url.js'

export interface PreflightResult {
  readonly endpoint: RoutedEndpoint
  readonly state: Finding['state'] | 'not probed'
  /** Where it sends on to, what went wrong, or why nobody asked. */
  readonly detail: string
  /** How long the answer took, in milliseconds. */
  readonly milliseconds?: number
  /** The line of the workflow that would change it. */
  readonly fix?: string
}

export interface PreflightLimits {
  /** For everything together. */
  readonly seconds: number
  /** Endpoints that are asked at the same time. */
  readonly parallel: number
}

interface PreflightPorts {
  readonly prober: Prober
  readonly clock: Clock
  /** Waits, and rejects as soon as the run is cancelled. */
  readonly pause: (milliseconds: number) => Promise<void>
}

const retryMilliseconds = 300

// Looking up names is slow where nobody answers for them, and Node looks up only a few at a time: mirrors come first.
const order: readonly RoutedEndpoint['route']['via'][] = ['mirror', 'proxy', 'daemon', 'direct']

/**
 * Asks every endpoint through its route for a part of what the build will ask there. Ends within the time given: who
 * does not answer in half of it is given up, and what nobody had time for is reported as such. Results are in the order of
 * the endpoints, and without secrets.
 *
 * @throws what `pause` does when the run is cancelled.
 */
export async function preflight(
  endpoints: readonly RoutedEndpoint[],
  network: Network,
  {prober, clock, pause}: PreflightPorts,
  {seconds, parallel}: PreflightLimits = {seconds: 20, parallel: 16}
): Promise<PreflightResult[]> {
  const started = clock()
  const left = () => Math.floor(started + seconds * 1000 - clock())
  const contexts = new Map<string, Pick<ProbeContext, 'ask' | 'network'>>()
  const contextWith = (proxies: ProxySettings): Pick<ProbeContext, 'ask' | 'network'> => {
    const known = contexts.get(JSON.stringify(proxies))
    if (known !== undefined) return known
    const settings = {...network, proxies}
    const once = asker(prober, settings, () => Math.max(1, Math.min(left(), Math.ceil(seconds * 500))))
    const context = {ask: refusingTheDead(patient(limited(once, left, seconds), left, pause)), network: settings}
    contexts.set(JSON.stringify(proxies), context)
    return context
  }
  const probed = new Map<string, Promise<Probed>>()
  const examine = async (endpoint: RoutedEndpoint): Promise<PreflightResult> => {
    const unasked = withoutAsking(endpoint, network)
    if (unasked !== undefined) return unasked
    const {kind, fetcher, route} = endpoint
    const images = imagesOf(endpoint, endpoints)
    const proxies = proxiesOf(endpoint, network)
    const context = {...contextWith(proxies), images}
    const key = JSON.stringify([kind, route.target, fetcher === 'git', proxies, images])
    const answer = probed.get(key) ?? timed(() => probe({kind, fetcher}, route.target, context), clock)
    probed.set(key, answer)
    return resultOf(endpoint, behindWall(await answer, endpoint, endpoints, network), network)
  }
  const results = new Map<RoutedEndpoint, PreflightResult>()
  const waiting = [...endpoints].sort((one, other) => order.indexOf(one.route.via) - order.indexOf(other.route.via))
  const work = async (): Promise<void> => {
    for (let endpoint = waiting.shift(); endpoint !== undefined; endpoint = waiting.shift()) {
      await pause(0)
      results.set(endpoint, await examine(endpoint))
    }
  }
  await Promise.all(Array.from({length: parallel}, work))
  return endpoints.flatMap(endpoint => results.get(endpoint) ?? [])
}

/** The proxies of who will fetch it; ours where nobody knows them. */
function proxiesOf(endpoint: RoutedEndpoint, network: Network): ProxySettings {
  const {fetcher, route} = endpoint
  if (hasWaysOfItsOwn(endpoint)) return proxySettings(route.proxy, route.proxy)
  const given = fetcher === 'build step' ? givenProxies(network) : network.proxies
  // Exceptions alone make no difference.
  return given.http === undefined && given.https === undefined ? {} : given
}

/** Whether the fetcher is the daemon, and its route is of its own proxies, which the plan has from itself. */
function hasWaysOfItsOwn({fetcher, route}: RoutedEndpoint): boolean {
  return fetcher === 'dockerd' && route.via !== 'daemon'
}

interface Probed {
  readonly finding: Finding
  readonly milliseconds: number
}

async function timed(asked: () => Promise<Finding>, clock: Clock): Promise<Probed> {
  const started = clock()
  const finding = await asked()
  return {finding, milliseconds: Math.round(clock() - started)}
}

function withoutAsking(endpoint: RoutedEndpoint, network: Network): PreflightResult | undefined {
  const {kind, route} = endpoint
  const isImage = kind === 'image' || kind === 'frontend'
  if (route.via === 'refused') {
    const detail = 'it has no mirror, no proxy and no permission'
    return {endpoint, state: 'refused by strict', detail, fix: mirrorLine(endpoint, network)}
  }
  if (route.via === 'this machine') return {endpoint, state: 'not probed', detail: 'is on this machine'}
  if (/^https?:\/\/\*/.test(route.target)) {
    return {
      endpoint,
      state: 'not probed',
      detail: kind === 'go' ? 'each module names its host' : 'only the base image names the host',
      fix: mirrorLine(endpoint, network)
    }
  }
  if (!isImage && !isHttpUrl(route.target)) return {endpoint, state: 'not probed', detail: 'is not fetched over HTTP'}
  return undefined
}

function resultOf(endpoint: RoutedEndpoint, {finding, milliseconds}: Probed, network: Network): PreflightResult {
  const {state, detail, reason} = finding
  if (hasWaysOfItsOwn(endpoint) && reason === 'proxy login') {
    const why = "the daemon's own proxy wants a login, which only the daemon knows"
    return {endpoint, state: 'not probed', detail: why}
  }
  // The daemon and a builder that was there before have proxies and mirrors of their own.
  const from = endpoint.route.via === 'daemon' ? 'asked from here, not by the daemon' : ''
  return {
    endpoint,
    state,
    detail: [detail, from].filter(part => part !== '').join('; '),
    milliseconds,
    ...fixOf(endpoint, finding, network)
  }
}

/** The daemon gets mirrors from the inputs, but neither proxies nor certificates. */
function fixOf(endpoint: RoutedEndpoint, finding: Finding, network: Network): Pick<PreflightResult, 'fix'> {
  if (isGood(finding)) return {}
  if (endpoint.fetcher !== 'dockerd') return {fix: suggestedInput(endpoint, finding, network)}
  if (finding.reason === 'unknown authority') return {}
  return {fix: suggestedInput(endpoint, finding, {...network, proxies: {}})}
}

/** Under `strict` a build step cannot go where only a redirect leads. */
function behindWall(
  probed: Probed,
  {fetcher}: RoutedEndpoint,
  endpoints: readonly RoutedEndpoint[],
  network: Network
): Probed {
  const {state, asked} = probed.finding
  if (state !== 'redirected' || fetcher !== 'build step' || !network.strict) return probed
  const allowed = endpoints.filter(({route}) => route.via !== 'refused' && isHttpUrl(route.target))
  const hosts = allowed.map(({route}) => new URL(route.target).hostname)
  if (proxyFor(asked, stepProxies(network, hosts)) !== wall) return probed
  const detail = `sends on to ${new URL(asked).origin}, where no build step may go`
  return {...probed, finding: {state: 'refused by strict', detail, asked}}
}

/** The images that an endpoint's component is built in. */
function imagesOf({kind, from}: RoutedEndpoint, endpoints: readonly RoutedEndpoint[]): string[] {
  if (kind !== 'apt' && kind !== 'apk') return []
  const near = endpoints.filter(other => other.kind === 'image' && other.from?.component === from?.component)
  return near.map(({what}) => what)
}

/** Asks nobody any more when the time is over. */
function limited(ask: Ask, left: () => number, seconds: number): Ask {
  return async (url, options) =>
    left() > 0
      ? await ask(url, options)
      : {failure: `not asked within the ${seconds} s that there are for all endpoints`, reason: 'timeout'}
}

/** Waits only once for a host that does not answer. */
function refusingTheDead(ask: Ask): Ask {
  const dead = new Map<string, Awaited<ReturnType<Ask>>>()
  return async (url, options) => {
    const {origin} = new URL(url)
    const known = dead.get(origin)
    if (known !== undefined) return known
    const result = await ask(url, options)
    if ('failure' in result && (result.reason === 'timeout' || result.reason === 'unknown host'))
      dead.set(origin, result)
    return result
  }
}

/** Asks once more, a moment later, when what went wrong may be over by then. */
function patient(ask: Ask, left: () => number, pause: PreflightPorts['pause']): Ask {
  return async (url, options) => {
    const result = await ask(url, options)
    if (!mayPassSoon(result) || left() < 2 * retryMilliseconds) return result
    await pause(retryMilliseconds)
    return await ask(url, options)
  }
}
