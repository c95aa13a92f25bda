import {homedir} from 'node:os'
import {join} from 'node:path'

/** Where downloaded packages and images made of them are kept from run to run. */
export function sandboxCacheDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  const caches = environment.XDG_CACHE_HOME ?? join(environment.HOME ?? homedir(), '.cache')
  return environment.BUILD_MOBY_SANDBOX_CACHE ?? join(caches, 'build-moby-sandbox')
}
