import {randomUUID} from 'node:crypto'
import {passOn, type Site, siteAt} from './upstreams.js'

const registry = 'registry-1.docker.io'
const authority = 'auth.docker.io'
const storage = 'production.cloudflare.docker.com'

/** The hosts that a pull from Docker Hub asks. */
export const dockerHubHosts = [registry, authority, storage] as const

/**
 * Docker Hub in front of the registry at `registryUrl`, by host: manifests for who brings a token, tokens for everybody,
 * and blobs from a host of their own, to which the registry leads
 * (https://distribution.github.io/distribution/spec/auth/token, https://docs.docker.com/docker-hub/allow-list).
 */
export function dockerHub(registryUrl: string): Record<(typeof dockerHubHosts)[number], Site> {
  const tokens = new Set<string>()
  return {
    [registry]: (request, response) => {
      const path = request.url ?? '/'
      const [, repository, rest = ''] = /^\/v2\/(.+)(\/(?:manifests|blobs|tags)\/.*)$/.exec(path) ?? []
      if (!tokens.has(request.headers.authorization ?? '')) {
        const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`
        const challenge = `Bearer realm="https://${authority}/token",service="registry.docker.io"${scope}`
        response
          .writeHead(401, {'www-authenticate': challenge, 'content-type': 'application/json'})
          .end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}\n')
      } else if (rest.startsWith('/blobs/')) {
        response.writeHead(307, {location: `https://${storage}${path}?verify=${randomUUID()}`}).end()
      } else passOn(request, response, registryUrl + path)
    },
    [authority]: (_, response) => {
      const token = randomUUID()
      tokens.add(`Bearer ${token}`)
      response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({token, expires_in: 300}))
    },
    [storage]: siteAt(registryUrl)
  }
}
