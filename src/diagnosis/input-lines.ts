import type {EndpointKind} from '../network/endpoint.js'
import {parseImageReference} from '../network/images.js'
import type {Wanted} from './subject.js'

const sites: Readonly<Partial<Record<EndpointKind, string>>> = {
  apt: 'apt-mirror: https://mirror.example',
  apk: 'apk-mirror: https://mirror.example',
  go: 'go-proxy: https://goproxy.example',
  sumdb: 'go-sumdb: sum.golang.google.cn',
  pip: 'pip-index: https://mirror.example/pypi/simple',
  gem: 'gem-source: https://mirror.example/rubygems/'
}

/** The input that sends a download to a mirror, or to another one. */
export function mirrorLine(wanted: Wanted): string {
  return sites[wanted.kind] ?? replacement(wanted, isImage(wanted) ? 'mirror.example' : 'https://mirror.example/')
}

/** The input that lets a download go where the tree says, although nothing else may. */
export function permissionLine(wanted: Wanted): string {
  const {kind, what} = wanted
  if (kind === 'apt' || kind === 'apk') return `${kind}-mirror: direct`
  // Of these the original, when named, is a permission.
  if (kind === 'go') return `go-proxy: ${origin(what).replace(/\/$/, '')}`
  if (kind === 'sumdb') return `go-sumdb: ${origin(what).replace(/^https?:\/\/|\/$/g, '')}`
  if (kind === 'pip') return `pip-index: ${what}`
  if (kind === 'gem') return `gem-source: ${what}`
  return replacement(wanted, 'direct')
}

/** The input that names the mirror in use, by plain HTTP. */
export function plainLine(wanted: Wanted): string {
  const target = wanted.route?.target ?? wanted.what
  if (isImage(wanted)) return replacement(wanted, `http://${parseImageReference(target).registry}`)
  const mirror = origin(target).replace(/^https:/, 'http:')
  const [input] = sites[wanted.kind]?.split(': ') ?? []
  return input === undefined ? replacement(wanted, mirror) : `${input}: ${mirror}`
}

/** The input that names the proxy in between, which is another one for each scheme. */
export function proxyLine(url: string | undefined, {route}: Pick<Wanted, 'route'>): string {
  const {inputs = [], proxy = 'http://proxy.example:3128'} = route ?? {}
  const named = inputs.find(name => /^https?-proxy$/.test(name)) ?? 'https-proxy'
  const input = url?.startsWith('http:') === true ? 'http-proxy' : named
  return `${input}: ${proxy.replace('://', '://USER:PASSWORD@')}`
}

function replacement(wanted: Wanted, by: string): string {
  if (isImage(wanted)) return `registry-mirrors: ${parseImageReference(wanted.what).registry}=${by}`
  return `${wanted.kind === 'git' ? 'git' : 'download'}-mirrors: ${origin(wanted.what)}=${by}`
}

function isImage({kind}: Wanted): boolean {
  return kind === 'image' || kind === 'frontend'
}

/** `https://github.com/` */
function origin(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}/` : 'https://upstream.example/'
}
