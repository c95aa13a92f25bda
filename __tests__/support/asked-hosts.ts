import type {RoutedEndpoint} from '../../src/network/endpoint.js'

/** How a plan and what really happened differ. */
export interface HostDifference {
  /** Hosts that were asked, and of which the plan says nothing. */
  readonly missing: readonly string[]
  /** Hosts, or package sources by their path, that the plan names and nobody asked. */
  readonly invented: readonly string[]
}

/**
 * Compares the endpoints of a plan with what a proxy was asked for: URLs, or `host:port` of a CONNECT. Package sources whose
 * host only the image names (`http://*` and a path) are known by their path.
 */
export function compareHosts(endpoints: readonly RoutedEndpoint[], targets: readonly string[]): HostDifference {
  const asked = targets.map(target => new URL(target.includes('://') ? target : `https://${target}`))
  const fetched = endpoints.filter(({route}) => !['refused', 'this machine'].includes(route.via))
  const places = fetched.flatMap(placesOf)
  const paths = new Set(places.filter(place => place.startsWith('/')))
  const hosts = new Set(places.filter(place => !place.startsWith('/')))
  const pathOf = ({pathname}: URL): string | undefined => [...paths].find(path => `${pathname}/`.startsWith(`${path}/`))
  const seen = new Set(asked.flatMap(url => [url.host, pathOf(url)]))
  const unknown = asked.filter(url => !hosts.has(url.host) && pathOf(url) === undefined)
  return {
    missing: [...new Set(unknown.map(({host}) => host))].sort(),
    invented: [...hosts, ...paths].filter(place => !seen.has(place)).sort()
  }
}

/** The hosts that an endpoint is fetched from, or the path of one whose host nobody knows. */
function placesOf({what, hosts, route}: RoutedEndpoint): readonly string[] {
  if (route.via === 'mirror') return [hostOf(route.target)]
  const [, path] = /^https?:\/\/\*(\/.*?)\/?$/.exec(what) ?? []
  return path === undefined ? hosts : [path]
}

/** Of a URL, or of an image by its full name. */
function hostOf(target: string): string {
  return new URL(target.includes('://') ? target : `https://${target}`).host
}
