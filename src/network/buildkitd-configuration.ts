import type {ReachableMirror} from './network.js'

/**
 * `buildkitd.toml` for a builder that the action creates. The source policy names the mirrors; what is left to say is
 * which of them speak plain HTTP (docs.docker.com/build/buildkit/toml-configuration). Undefined when all speak HTTPS.
 * Certificates are not named here: BuildKit would use them for registries alone.
 */
export function buildkitdConfiguration(mirrors: readonly ReachableMirror[]): string | undefined {
  const hosts = new Set(mirrors.filter(mirror => mirror.scheme === 'http').map(mirror => mirror.host))
  if (hosts.size === 0) return undefined
  return [...hosts].map(host => `[registry."${host}"]\n  http = true\n`).join('\n')
}
