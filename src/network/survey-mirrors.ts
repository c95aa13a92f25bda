import {ConfigurationError} from '../errors.js'
import type {RegistryMirror} from '../inputs.js'
import type {Log, Prober, ProbeResult} from '../ports.js'
import {formatImageReference, type ImageReference} from './images.js'
import {isLoopbackHost, proxyFor, type ProxySettings} from './proxy.js'
import {mirrorName} from './source-policy.js'
import {redactUrl} from './url.js'

/** A mirror that answered. */
export interface ReachableMirror extends RegistryMirror {
  readonly scheme: 'http' | 'https'
}

const probeTimeoutMilliseconds = 10_000

/**
 * Asks the mirrors of each registry in the order given and keeps the first that speaks the registry API
 * (distribution.github.io/distribution/spec/api, `GET /v2/`). One that does not is skipped with a warning.
 *
 * @throws ConfigurationError when none of a registry's mirrors answers, with what each of them said.
 */
export async function surveyMirrors(
  mirrors: readonly RegistryMirror[],
  proxies: ProxySettings,
  {prober, log}: {readonly prober: Prober; readonly log: Log}
): Promise<readonly ReachableMirror[]> {
  const reachable = []
  for (const registry of new Set(mirrors.map(mirror => mirror.registry))) {
    const failures: string[] = []
    const candidates = mirrors.filter(mirror => mirror.registry === registry)
    let found: ReachableMirror | undefined
    for (const mirror of candidates) {
      const answer = await askMirror(mirror, proxies, prober)
      if ('scheme' in answer) {
        found = answer
        break
      }
      failures.push(`${mirrorName(mirror)}: ${answer.failure}`)
    }
    if (found === undefined) {
      throw new ConfigurationError(
        `no mirror of ${registry} answers as an image registry:\n${failures.map(line => `  - ${line}`).join('\n')}\nCorrect the lines of 'registry-mirrors' that begin with ${registry}=, or the proxy inputs if the mirror is behind one.`
      )
    }
    for (const failure of failures) log.warning(`Skipped a mirror of ${registry} from 'registry-mirrors': ${failure}`)
    reachable.push(found)
  }
  return reachable
}

async function askMirror(
  mirror: RegistryMirror,
  proxies: ProxySettings,
  prober: Prober
): Promise<ReachableMirror | {readonly failure: string}> {
  const schemes = mirror.scheme === undefined ? (['https', 'http'] as const) : [mirror.scheme]
  const failures = []
  for (const scheme of isLoopbackHost(mirror.host.replace(/:\d+$/, '')) ? schemes.toReversed() : schemes) {
    const result = await get(`${scheme}://${mirror.host}/v2/`, proxies, prober)
    // 401 is how a registry that wants a login greets.
    if ('status' in result && (result.status === 200 || result.status === 401)) return {...mirror, scheme}
    failures.push('failure' in result ? result.failure : `${scheme}://${mirror.host}/v2/ answered ${result.status}`)
  }
  return {failure: [...new Set(failures)].join('; ')}
}

/** Whether the mirror has an image; undefined when it does not say (it wants a login, or fails). */
export async function mirrorHasImage(
  mirror: ReachableMirror,
  {repository, tag, digest}: ImageReference,
  proxies: ProxySettings,
  prober: Prober
): Promise<boolean | undefined> {
  const path = mirror.path === '' ? repository : `${mirror.path}/${repository}`
  const url = `${mirror.scheme}://${mirror.host}/v2/${path}/manifests/${digest ?? tag ?? 'latest'}`
  const first = await get(url, proxies, prober)
  const token =
    'status' in first && first.status === 401 ? await pullToken(first.headers, path, proxies, prober) : undefined
  const answer = token === undefined ? first : await get(url, proxies, prober, token)
  if ('failure' in answer) return undefined
  if (answer.status === 200) return true
  return answer.status === 404 ? false : undefined
}

/** The image as it is named on its mirror, for a message. */
export function mirroredName(mirror: RegistryMirror, image: ImageReference): string {
  return formatImageReference({...image, registry: mirrorName(mirror)})
}

/** An anonymous pull token (distribution.github.io/distribution/spec/auth/token). */
async function pullToken(
  headers: Readonly<Record<string, string>>,
  repository: string,
  proxies: ProxySettings,
  prober: Prober
): Promise<string | undefined> {
  const challenge = headers['www-authenticate'] ?? ''
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1]
  if (realm === undefined || !URL.canParse(realm)) return undefined
  const url = new URL(realm)
  const service = /service="([^"]+)"/.exec(challenge)?.[1]
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('scope', `repository:${repository}:pull`)
  const result = await get(url.href, proxies, prober)
  return 'status' in result && result.status === 200
    ? /"(?:access_)?token"\s*:\s*"([^"]+)"/.exec(result.body)?.[1]
    : undefined
}

async function get(url: string, proxies: ProxySettings, prober: Prober, token?: string): Promise<ProbeResult> {
  const proxy = proxyFor(url, proxies)
  const result = await prober.get({
    url,
    timeoutMilliseconds: probeTimeoutMilliseconds,
    ...(proxy === undefined ? {} : {proxy}),
    headers: {Accept: manifestTypes.join(', '), ...(token === undefined ? {} : {Authorization: `Bearer ${token}`})}
  })
  if (!('failure' in result) || proxy === undefined) return result
  return {failure: `${result.failure} (through the proxy ${redactUrl(proxy)})`}
}

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json'
]
