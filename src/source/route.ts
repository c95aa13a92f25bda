import {ConfigurationError} from '../errors.js'
import type {PrefixRule} from '../network/network.js'
import {isRouted, proxyFor, type ProxySettings} from '../network/proxy.js'
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

/** Which ways there are, and which of them are allowed. */
export interface RouteSettings {
  readonly mirrors: readonly PrefixRule[]
  /** Prefixes of what may be fetched without a mirror, when none answers. */
  readonly direct: readonly string[]
  /** Whether nothing else may be. */
  readonly strict: boolean
  readonly proxies: ProxySettings
}

/**
 * The ways to a URL, in the order to try them. As in git, the rules with the longest matching `from` decide; when there
 * are any, the direct way comes after them, and only where it is permitted.
 *
 * @throws ConfigurationError when there is only the direct way, and `strict` refuses it.
 */
export function routesTo(url: string, {mirrors, direct, strict, proxies}: RouteSettings): readonly [Route, ...Route[]] {
  const permitted = direct.some(prefix => url.startsWith(prefix))
  const matching = mirrors.filter(({from}) => url.startsWith(from))
  const longest = Math.max(...matching.map(({from}) => from.length))
  const [first, ...others] = matching
    .filter(({from}) => from.length === longest)
    .map(rule => ({url, target: rule.to + url.slice(rule.from.length), rule}))
  const unmirrored = {url, target: url}
  if (first !== undefined) return [first, ...others, ...(permitted ? [unmirrored] : [])]
  if (strict && !permitted && !url.startsWith('/') && !isRouted(url, proxies)) {
    throw new ConfigurationError(
      isHttpUrl(url)
        ? `'strict' refuses to fetch ${redactUrl(url)} directly: name a mirror in 'git-mirrors', a proxy, or permit it by a line of 'git-mirrors' such as ${new URL(url).origin}/=direct`
        : `'strict' refuses ${redactUrl(url)}: give the repository by its https:// URL, which can have a mirror, a proxy or permission`
    )
  }
  return [unmirrored]
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
