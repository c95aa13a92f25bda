import {ConfigurationError} from '../errors.js'
import type {Ref, RemoteRefs} from './refs.js'
import {compareDaemonTags, isDaemonTag, isFinalRelease, releaseLine, releaseNumber, releaseVersion} from './version.js'

export interface ClientRef {
  /** A tag or branch of docker/cli. */
  readonly ref: string
  /** One clause for the log: how it was found. */
  readonly why: string
}

/**
 * The docker/cli ref that belongs to an engine. moby's `v28.5.2` and `docker-v29.7.2` pair with docker/cli's tags of the
 * same version; some late releases (v23.0.11-14 and .16-.18, v25.0.8-.17) have none, and take the newest of their line. A
 * branch pairs with the branch of the same name (moby's `docker-29.x` with `29.x`), everything else goes by the nearest
 * tag. Throws a ConfigurationError naming the input `client` when nothing fits.
 */
export function clientRef(engine: {readonly ref: Ref; readonly nearestTag?: string}, client: RemoteRefs): ClientRef {
  const {ref, nearestTag} = engine
  const sought: string[] = []
  if (ref.kind === 'branch') {
    const branch = ref.name.replace(/^docker-/, '')
    if (client.has(`refs/heads/${branch}`)) return {ref: branch, why: `the branch that goes with ${ref.name}`}
    sought.push(`branch ${branch}`)
  }
  const tags = [...client.keys()].flatMap(name => (name.startsWith('refs/tags/') ? [name.slice(10)] : []))
  const releases = tags.filter(isDaemonTag).sort(compareDaemonTags)
  if (nearestTag !== undefined) {
    const same = [`v${releaseVersion(nearestTag)}`, `v${releaseNumber(nearestTag)}`].find(tag => tags.includes(tag))
    if (same !== undefined) return {ref: same, why: `the tag that goes with ${nearestTag}`}
    const line = releaseLine(nearestTag)
    const newest = newestOf(releases.filter(tag => releaseLine(tag) === line))
    if (newest !== undefined) return {ref: newest, why: `the newest ${line} tag, as there is none for ${nearestTag}`}
    sought.push(`tag v${releaseVersion(nearestTag)}`, `any tag v${line}.*`)
  }
  const looked = sought.length === 0 ? 'has no release tag below it to go by' : `would need ${sought.join(' or ')}`
  const known = releases.slice(-3).reverse().join(', ') || 'none'
  throw new ConfigurationError(
    `Input 'client': found no client for ${ref.name}, which ${looked}. The newest tags of the client's repository are: ` +
      `${known}. Set 'client' to a tag, branch or commit of it, or to none.`
  )
}

function newestOf(releases: readonly string[]): string | undefined {
  return releases.findLast(isFinalRelease) ?? releases.at(-1)
}
