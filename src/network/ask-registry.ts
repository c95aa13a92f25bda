import {follow, type Answered, type Ask, type Reply} from './ask.js'
import type {ImageReference} from './images.js'
import {isLoopbackHost} from './proxy.js'

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json'
]

/**
 * The URL of a registry's API with `/v2`, such as `https://mirror.example/v2`; `registry` is as an image reference names
 * it. The name of Docker Hub hides its host; loopback registries speak plain HTTP to Docker.
 */
export function registryApi(registry: string, scheme?: 'http' | 'https'): string {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  return `${scheme ?? (isLoopbackHost(host.replace(/:\d+$/, '')) ? 'http' : 'https')}://${host}/v2`
}

/**
 * Asks a registry for an image's manifest, with an anonymous token if it wants one
 * (distribution.github.io/distribution/spec/auth/token). `base` is as `registryApi` says. Unless the body is asked for,
 * only the head is: Docker Hub counts the body as a pull. The reply is the registry's, or that of who should have given
 * out the token and did not.
 */
export async function askManifest(
  ask: Ask,
  base: string,
  {repository, tag, digest}: ImageReference,
  part: 'head' | 'body' = 'head'
): Promise<Reply> {
  const url = `${base}/${repository}/manifests/${digest ?? tag ?? 'latest'}`
  const headers = {Accept: manifestTypes.join(', ')}
  const askPart = part === 'head' ? askHead : askBody
  const first = await askPart(ask, url, headers)
  if (!('status' in first.result) || first.result.status !== 401) return first
  const tokenUrl = urlOfToken(first.result, repository)
  if (tokenUrl === undefined) return first
  const reply = await follow(ask, tokenUrl)
  if (!('status' in reply.result)) return reply
  // Who gives no token to nobody wants a login.
  const token = reply.result.status === 200 ? tokenIn(reply.result) : undefined
  if (token !== undefined) return await askPart(ask, url, {...headers, Authorization: `Bearer ${token}`})
  return reply.result.status >= 500 ? reply : first
}

async function askHead(ask: Ask, url: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  const reply = await follow(ask, url, {method: 'HEAD', headers})
  const refused = 'status' in reply.result && reply.result.status === 405
  return refused ? await askBody(ask, url, headers) : reply
}

async function askBody(ask: Ask, url: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  return await follow(ask, url, {headers})
}

function urlOfToken({headers}: Answered, repository: string): string | undefined {
  const challenge = headers['www-authenticate'] ?? ''
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1]
  if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined
  const url = new URL(realm)
  const service = /service="([^"]+)"/.exec(challenge)?.[1]
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('scope', `repository:${repository}:pull`)
  return url.href
}

function tokenIn({body}: Answered): string | undefined {
  return /"(?:access_)?token"\s*:\s*"([^"]+)"/.exec(body)?.[1]
}
