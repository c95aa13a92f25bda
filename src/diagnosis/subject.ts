import type {EndpointKind, Route, RoutedEndpoint} from '../network/endpoint.js'
import {redactUrl} from '../network/url.js'
import type {Cause, Line} from './find-cause.js'
import {endpointOfImage, endpointOfUrl} from './find-endpoint.js'
import {hostIn, hostOf, imageIn, urlsIn} from './mentions.js'

/** What was being fetched. */
export interface Subject {
  /** A URL or an image, without credentials. */
  readonly url?: string
  readonly wanted: Wanted
}

/** A planned endpoint, or something that no plan knew of, as far as the message tells. */
export interface Wanted {
  readonly kind: EndpointKind
  /** As in an endpoint; empty when nobody knows. */
  readonly what: string
  readonly route?: Route
}

/** How far from a complaint that names no URL one is looked for. */
const linesAround = 12

/**
 * Finds out what the failed download was: by the URL, image or host in the line, else by a URL in the lines before it or in
 * the script of the step that this program would ask for, else by an endpoint of its kind.
 */
export function findSubject(
  cause: Cause,
  lines: readonly Line[],
  step: string,
  script: string,
  endpoints: readonly RoutedEndpoint[]
): Subject {
  const text = lines[cause.index]?.text ?? ''
  const kinds = cause.kind === 'sumdb' ? (['sumdb'] as const) : kindsFor(cause, step)
  const image = imageIn(text, step)
  if (image !== undefined) {
    const wanted = endpointOfImage(image, endpoints) ?? ({kind: 'image', what: image} as const)
    return {url: urlsIn(text)[0] ?? image, wanted}
  }
  const host = hostIn(text)
  const before = lines.slice(Math.max(0, cause.index - linesAround), cause.index).reverse()
  const places = [urlsIn(text), ...before.map(line => urlsIn(line.text)), urlsIn(script === '' ? step : script)]
  for (const [place, urls] of places.entries()) {
    const subjects = urls.map(url => subjectOf(url, kinds, endpoints))
    // A URL elsewhere must be one that this host, or this program, is asked for.
    const fitting = subjects.filter(
      ({url, wanted: {kind, route}}) =>
        place === 0 || (host === undefined ? route !== undefined && kinds.includes(kind) : hostOf(url ?? '') === host)
    )
    const [subject] = fitting
    if (subject === undefined) continue
    // Of several in a script nobody knows which one it was.
    const isScript = place === places.length - 1
    return isScript && fitting.some(({url}) => url !== subject.url) ? {wanted: subject.wanted} : subject
  }
  const candidates = endpointsOf(host, kinds, endpoints)
  const [wanted = endpoints.find(({kind}) => kinds.includes(kind))] = candidates
  if (wanted === undefined) {
    return {wanted: {kind: kinds[0] ?? 'http', what: host === undefined ? '' : `https://${host}/`}}
  }
  return {wanted, ...(candidates.length === 1 && !wanted.what.includes('*') ? {url: wanted.what} : {})}
}

/** What may have been asked of a host, or of any if not given. What goes to a mirror asks no other host. */
function endpointsOf(
  host: string | undefined,
  kinds: readonly EndpointKind[],
  endpoints: readonly RoutedEndpoint[]
): RoutedEndpoint[] {
  return endpoints.filter(
    ({kind, hosts, route}) =>
      kinds.includes(kind) &&
      (host === undefined || hostOf(route.target) === host || (route.via !== 'mirror' && hosts.includes(host)))
  )
}

/** What the program asks for; of BuildKit and unknown programs the step tells. */
function kindsFor({program}: Cause, step: string): readonly EndpointKind[] {
  if (program.kinds.length > 0) return program.kinds
  // A checksum that was tested after a download.
  if (program.name === 'the system') return ['http']
  if (/^\[[^\]]*\] ADD /.test(step)) return ['git', 'http']
  return /^\[[^\]]*\] RUN /.test(step) ? ['http', 'git', 'go', 'apt', 'apk', 'pip', 'gem'] : ['image', 'frontend']
}

function subjectOf(mentioned: string, kinds: readonly EndpointKind[], endpoints: readonly RoutedEndpoint[]): Subject {
  const url = redactUrl(mentioned)
  const endpoint = endpointOfUrl(url, kinds, endpoints)
  const wanted = endpoint ?? {kind: kinds[0] ?? 'http', what: url}
  // A script names it by variables that the inventory has resolved; the name of a step may be cut.
  if (!/[$*…]/.test(url)) return {url, wanted}
  return {wanted, ...(endpoint === undefined ? {} : {url: endpoint.what})}
}
