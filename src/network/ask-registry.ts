import {follow, type Answered, type Ask, type Reply} from './ask.js'
import type {ImageReference} from './images.js'

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json'
]

/**
 * Asks a registry for an image's manifest, with an anonymous token if it wants one
 * (distribution.github.io/distribution/spec/auth/token). `base` is the registry's URL with `/v2`, such as
 * `https://mirror.example/v2`. Only the head is asked for: Docker Hub counts the body as a pull. The reply is the
 * registry's, or that of who should have given out the token and did not.
 */
export async function askManifest(ask: Ask, base: string, {repository, tag, digest}: ImageReference): Promise<Reply> {
  const url = `${base}/${repository}/manifests/${digest ?? tag ?? 'latest'}`
  const headers = {Accept: manifestTypes.join(', ')}
  const first = await askHead(ask, url, headers)
  if (!('status' in first.result) || first.result.status !== 401) return first
  const tokenUrl = urlOfToken(first.result, repository)
  if (tokenUrl === undefined) return first
  const reply = await follow(ask, tokenUrl)
  if (!('status' in reply.result)) return reply
  // Who gives no token to nobody wants a login.
  const token = reply.result.status === 200 ? tokenIn(reply.result) : undefined
  if (token !== undefined) return await askHead(ask, url, {...headers, Authorization: `Bearer ${token}`})
  return reply.result.status >= 500 ? reply : first
}

async function askHead(ask: Ask, url: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  const reply = await follow(ask, url, {method: 'HEAD', headers})
  const refused = 'status' in reply.result && reply.result.status === 405
  return refused ? await follow(ask, url, {headers}) : reply
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
