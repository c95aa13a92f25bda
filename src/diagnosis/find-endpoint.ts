import type {EndpointKind, RoutedEndpoint} from '../network/endpoint.js'
import {formatImageReference, parseImageReference} from '../network/images.js'
import {hostOf} from './mentions.js'

/** The endpoint that a URL belongs to: by where its route leads, by what the tree calls it, by its host or by its path. */
export function endpointOfUrl(
  url: string,
  kinds: readonly EndpointKind[],
  endpoints: readonly RoutedEndpoint[]
): RoutedEndpoint | undefined {
  const scored = endpoints
    .map(endpoint => ({endpoint, score: likeness(url, endpoint, kinds)}))
    .filter(({score}) => score > 0)
  const value = ({endpoint, score}: (typeof scored)[number]): number =>
    score + (kinds.includes(endpoint.kind) ? 1000 : 0)
  return scored.toSorted((one, other) => value(other) - value(one))[0]?.endpoint
}

function likeness(url: string, {kind, what, hosts, route}: RoutedEndpoint, kinds: readonly EndpointKind[]): number {
  const cut = url.replace(/…$/, '')
  const prefix = [route.target, what]
    .map(place => place.replace(/(\.git)?\/?([?#].*)?$/, ''))
    .filter(place => place.includes('://') && (url.startsWith(place) || (cut !== url && place.startsWith(cut))))
    .reduce((longest, place) => Math.max(longest, place.length), 0)
  if (prefix > 0) return 100 + prefix
  // Other programs ask the same hosts for other things.
  if (!kinds.includes(kind)) return 0
  const host = hostOf(url)
  if (host !== undefined && (hosts.includes(host) || hostOf(route.target) === host)) return 50
  // `http://*/debian`
  const [, path] = /^https?:\/\/\*(\/.*?)\/?$/.exec(what) ?? []
  return path !== undefined && new RegExp(`^https?://[^/]+${path}(/|$)`).test(url) ? 50 : 0
}

/** The endpoint of an image, on a mirror or not. */
export function endpointOfImage(image: string, endpoints: readonly RoutedEndpoint[]): RoutedEndpoint | undefined {
  return endpoints.find(({what, route}) => sameImage(image, what) || sameImage(image, route.target))
}

function sameImage(one: string, other: string): boolean {
  const plain = (image: string): string => formatImageReference(parseImageReference(image)).replace(/@.*$/, '')
  return !other.includes('://') && other !== '' && plain(one) === plain(other)
}
