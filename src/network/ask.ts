import type {Probe, ProbeFailure, Prober, ProbeResult} from '../ports.js'
import {proxyFor, type ProxySettings} from './proxy.js'
import {isHttpUrl, redactUrl} from './url.js'

/** What requests from this process need to know of the network. */
export interface AskSettings {
  readonly proxies: ProxySettings
  /** PEM blocks, trusted in addition to the public authorities. */
  readonly certificates?: string
}

export type AskOptions = Pick<Probe, 'method' | 'headers'>

/** Sends one request through the proxy that is in effect for its URL. Credentials are in no result. */
export type Ask = (url: string, options?: AskOptions) => Promise<ProbeResult>

/** An HTTP answer. */
export type Answered = Extract<ProbeResult, {status: number}>

/** What a request came to in the end, and the URL that it was sent to last. */
export interface Reply {
  readonly url: string
  readonly result: ProbeResult
}

const redirectsFollowed = 5

// What may be over in a moment; a refusal or a wrong certificate is not.
const passingFailures: readonly ProbeFailure[] = ['timeout', 'unknown host', 'connection lost', 'proxy failed']
const passingStatuses: readonly number[] = [502, 503, 504]

/** Asks with the settings given; `timeoutMilliseconds` is for each request. */
export function asker(prober: Prober, {proxies, certificates}: AskSettings, timeoutMilliseconds: () => number): Ask {
  return async (url, options = {}) => {
    const proxy = proxyFor(url, proxies)
    const result = await prober.get({
      url,
      ...options,
      timeoutMilliseconds: timeoutMilliseconds(),
      ...(proxy === undefined ? {} : {proxy}),
      ...(certificates === undefined ? {} : {certificates})
    })
    if (!('failure' in result) || proxy === undefined) return result
    return {...result, failure: `${result.failure} (through the proxy ${redactUrl(proxy)})`}
  }
}

/** Asks and goes where the answer sends on to, as curl -L, git and Go do; an authorisation stays with its own host. */
export async function follow(ask: Ask, url: string, options: AskOptions = {}): Promise<Reply> {
  let at = url
  for (let redirects = 0; ; redirects++) {
    const {Authorization: authorisation, ...open} = options.headers ?? {}
    const own = authorisation !== undefined && new URL(at).origin === new URL(url).origin
    const result = await ask(at, {...options, headers: own ? {...open, Authorization: authorisation} : open})
    const next = 'status' in result ? redirectTarget(at, result) : undefined
    if (next === undefined || redirects === redirectsFollowed) return {url: at, result}
    at = next
  }
}

/** Whether it makes sense to ask once more. */
export function mayPass(result: ProbeResult): boolean {
  return 'failure' in result ? passingFailures.includes(result.reason) : passingStatuses.includes(result.status)
}

/** As `mayPass`, without those who have been given all the time there is already. */
export function mayPassSoon(result: ProbeResult): boolean {
  return mayPass(result) && !('failure' in result && result.reason === 'timeout')
}

/** Asks once more when what went wrong may be over by then. */
export function askingTwice(ask: Ask): Ask {
  return async (url, options) => {
    const result = await ask(url, options)
    return mayPassSoon(result) ? await ask(url, options) : result
  }
}

function redirectTarget(from: string, {status, headers}: Answered): string | undefined {
  const location = headers.location
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined
  if (!URL.canParse(location, from)) return undefined
  const {href} = new URL(location, from)
  return isHttpUrl(href) ? href : undefined
}
