import type {Endpoint, EndpointKind} from '../network/endpoint.js'
import {formatImageReference, parseImageReference} from '../network/images.js'
import {redactUrl} from '../network/url.js'
import type {ExternalSources} from './external-sources.js'

/** Whose build it is, and who fetches what its steps do not. */
export interface EndpointOptions {
  readonly component: 'daemon' | 'client'
  readonly builderFetcher: 'dockerd' | 'buildkitd'
  /** Absent when the frontend is built into the builder. */
  readonly frontendImage?: string
}

/** The endpoints of a component's build in the order of the Dockerfile; of equal ones the first. */
export function endpointsOf(sources: ExternalSources, options: EndpointOptions): Endpoint[] {
  const {component, builderFetcher, frontendImage} = options
  const places: (Place & {step: number})[] = [
    ...(frontendImage === undefined ? [] : [{kind: 'frontend' as const, what: fullName(frontendImage), line: 1}]),
    ...sources.images.map(({spelled, line}) => ({kind: 'image' as const, what: fullName(spelled), line})),
    ...sources.adds.map(({kind, url, line}) => ({
      kind,
      what: kind === 'git' ? repositoryOf(url) : redactUrl(url),
      line
    }))
  ].map(place => ({...place, file: 'Dockerfile', step: place.line, fetcher: builderFetcher}))
  for (const {kind, url, file, line, step} of sources.steps) {
    places.push({kind, what: url, file, line, step, fetcher: 'build step'})
  }
  const endpoints = new Map<string, Endpoint>()
  for (const {kind, what, fetcher, file, line} of places.sort((one, other) => one.step - other.step)) {
    const key = `${kind} ${what} ${fetcher}`
    if (endpoints.has(key)) continue
    endpoints.set(key, {kind, what, hosts: hostsOf(kind, what), fetcher, from: {component, file, line}})
  }
  return [...endpoints.values()]
}

interface Place {
  readonly kind: EndpointKind
  readonly what: string
  readonly fetcher: Endpoint['fetcher']
  readonly file: string
  readonly line: number
}

/**
 * The hosts that are asked for an endpoint when nothing mirrors it. Docker Hub answers from a registry, a token service and
 * a store for blobs (docs.docker.com/desktop/setup/allow-list); PyPI keeps its files apart (docs.pypi.org/api).
 */
export function hostsOf(kind: EndpointKind, what: string): string[] {
  if (kind === 'image' || kind === 'frontend') {
    const {registry} = parseImageReference(what)
    return registry === 'docker.io'
      ? ['registry-1.docker.io', 'auth.docker.io', 'production.cloudflare.docker.com']
      : [registry.replace(/:\d+$/, '')]
  }
  const host =
    /^[a-z][a-z0-9+]*:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]+)/i.exec(what)?.[1] ?? /@?([^@/:]+):/.exec(what)?.[1]
  if (host === undefined || host === '*') return []
  // RubyGems asks a host of its own for the index of rubygems.org (lib/rubygems/source.rb).
  if (host === 'rubygems.org') return ['index.rubygems.org', host]
  return host === 'pypi.org' ? [host, 'files.pythonhosted.org'] : [host]
}

/** Without the ref and the path that an `ADD` has behind it (docs.docker.com/reference/dockerfile, ADD). */
function repositoryOf(url: string): string {
  return redactUrl(url).replace(/[?#].*$/, '')
}

function fullName(image: string): string {
  return formatImageReference(parseImageReference(image))
}
