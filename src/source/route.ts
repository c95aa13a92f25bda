import type {PrefixRule} from '../inputs.js'
import {proxyFor, type ProxySettings} from '../network/proxy.js'
import {isHttpUrl, redactUrl} from '../network/url.js'

/** One way to a repository: its own URL, or one on a mirror. */
export interface Route {
  /** The repository's own URL. */
  readonly url: string
  /** Where git really connects to. */
  readonly target: string
  /** The mirror rule in effect. */
  readonly rule?: PrefixRule
}

/**
 * The ways to a URL, in the order to try them. As in git, the rules with the longest matching `from` decide; when there
 * are any, the direct way is none of them.
 */
export function routesTo(url: string, mirrors: readonly PrefixRule[]): readonly [Route, ...Route[]] {
  const matching = mirrors.filter(({from}) => url.startsWith(from))
  const longest = Math.max(...matching.map(({from}) => from.length))
  const [first, ...others] = matching
    .filter(({from}) => from.length === longest)
    .map(rule => ({url, target: rule.to + url.slice(rule.from.length), rule}))
  return first === undefined ? [{url, target: url}] : [first, ...others]
}

/** A route for people, without credentials: what is in effect, and which inputs change it. */
export function describeRoute({target, rule}: Route, proxies: ProxySettings): string {
  if (!isHttpUrl(target))
    return target.startsWith('/') ? 'on this machine' : "direct, not over HTTP (see 'git-mirrors')"
  const input = target.toLowerCase().startsWith('https:') ? 'https-proxy' : 'http-proxy'
  const proxy = proxyFor(target, proxies)
  const through = proxy === undefined ? undefined : `proxy ${redactUrl(proxy)} ('${input}', 'no-proxy')`
  if (rule === undefined) return through ?? `direct, without mirror ('git-mirrors') or proxy ('${input}')`
  const mirror = `mirror ${redactUrl(rule.to)} for ${redactUrl(rule.from)} ('git-mirrors')`
  return through === undefined ? `${mirror}, without proxy ('${input}')` : `${mirror}, through ${through}`
}
