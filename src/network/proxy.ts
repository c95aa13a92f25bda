import {isHttpUrl} from './url.js'

/** The proxies in effect, as URLs that may carry credentials. */
export interface ProxySettings {
  readonly http?: string
  readonly https?: string
  /** Comma-separated, as in `NO_PROXY`. */
  readonly none?: string
}

/** The proxies that the environment names; the lower-case variable wins, as in curl and Go. */
export function proxiesFromEnvironment(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const value = (name: string) => nonEmpty(environment[name]) ?? nonEmpty(environment[name.toUpperCase()])
  const [http, https] = [value('http_proxy'), value('https_proxy')].map(proxy => proxy && proxyUrl(proxy))
  return proxySettings(http, https, value('no_proxy'))
}

/** A proxy as a URL: like curl and Go, `host:port` means `http://host:port`. */
export function proxyUrl(proxy: string): string {
  return proxy === '' || /^[a-z][a-z0-9]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
}

/** Whether a text is the URL of a proxy: a host, and nothing after it. Then whatever stands before an `@` is its userinfo. */
export function isProxyUrl(text: string): boolean {
  if (!isHttpUrl(text) || /["\\\s$`]/.test(text)) return false
  const {pathname, search, hash} = new URL(text)
  return pathname === '/' && search === '' && hash === ''
}

/** Settings without the absent parts. */
export function proxySettings(http?: string, https?: string, none?: string): ProxySettings {
  return {
    ...(http === undefined ? {} : {http}),
    ...(https === undefined ? {} : {https}),
    ...(none === undefined ? {} : {none})
  }
}

/** The variables that give `settings` to a child process, in both spellings. */
export function proxyEnvironment(settings: ProxySettings): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [name, value] of [
    ['http_proxy', settings.http],
    ['https_proxy', settings.https],
    ['no_proxy', settings.none]
  ] as const) {
    if (value !== undefined) {
      variables[name] = value
      variables[name.toUpperCase()] = value
    }
  }
  return variables
}

/**
 * The proxy that a request for `url` goes through, or undefined for a direct one; what is no HTTP goes direct.
 *
 * `none` follows Go's rules (golang.org/x/net/http/httpproxy): `*` is everything; `example.com` covers the host and what is
 * below it, `.example.com` only what is below; an address or a network in CIDR form matches addresses; a port, when given,
 * must match; `localhost` and loopback addresses are always direct.
 */
export function proxyFor(url: string, settings: ProxySettings): string | undefined {
  if (!isHttpUrl(url)) return undefined
  const {protocol, hostname, port} = new URL(url)
  const proxy = protocol === 'https:' ? settings.https : settings.http
  if (proxy === undefined) return undefined
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, '')
  const portOrDefault = port === '' ? (protocol === 'https:' ? '443' : '80') : port
  if (isLoopbackHost(host)) return undefined
  const direct = (settings.none ?? '')
    .split(',')
    .map(entry => entry.trim().toLowerCase())
    .some(entry => entry !== '' && matchesNoProxy(entry, host, portOrDefault))
  return direct ? undefined : proxy
}

/** Whether a request has a route of the user's own making: it goes through a proxy, or is excepted from one. */
export function isRouted(url: string, settings: ProxySettings): boolean {
  return proxyFor(url, {...settings, none: ''}) !== undefined
}

/** Whether a host name or address means the machine itself. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function matchesNoProxy(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const withPort = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry)
  if (withPort?.[2] !== undefined && withPort[2] !== port) return false
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '')
  if (name.includes('/')) return isInNetwork(host, name)
  if (name.startsWith('*.')) return host.endsWith(name.slice(1))
  if (name.startsWith('.')) return host.endsWith(name)
  return host === name || host.endsWith(`.${name}`)
}

/** Whether an IPv4 address lies in a network such as `10.0.0.0/8`. Names and IPv6 never do. */
export function isInNetwork(host: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/')
  const address = ipv4(host)
  const start = ipv4(base)
  const bits = Number(length)
  if (address === undefined || start === undefined || !/^\d+$/.test(length) || bits > 32) return false
  const size = 2 ** (32 - bits)
  return Math.floor(address / size) === Math.floor(start / size)
}

function ipv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined || parts.some(part => part > 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

function nonEmpty(value: string | undefined): string | undefined {
  const trimmed = value?.trim()
  return trimmed === '' ? undefined : trimmed
}
