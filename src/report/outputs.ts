import type {CacheAccount} from '../cache/account.js'
import type {Plan} from '../plan/plan.js'
import type {PublishedBundle} from '../bundles/publish.js'
import type {Outcome} from './summary.js'

/** The outputs that a plan alone gives. */
export function planOutputs(plan: Plan, planFile: string): Record<string, string> {
  const source = plan.builds[0]?.source
  return {
    version: source?.version ?? '',
    commit: source?.commit ?? '',
    describe: source?.describe ?? '',
    plan: planFile
  }
}

/** The outputs of action.yml for a finished run. */
export function runOutputs({plan, planFile, caches, bundles, outputDirectory}: Outcome): Record<string, string> {
  const client = bundles.find(({bundle}) => bundle.name === 'binary-client')
  const daemon = bundles.find(({bundle}) => bundle.name === 'binary-daemon')
  return {
    ...planOutputs(plan, planFile),
    bundles: outputDirectory,
    ...bundleOutputs('client', client),
    ...bundleOutputs('daemon', daemon),
    'cache-hit': cacheHit(caches)
  }
}

function bundleOutputs(name: 'client' | 'daemon', published: PublishedBundle | undefined): Record<string, string> {
  return {
    [name]: published?.bundle.archive.path ?? '',
    [`${name}-artifact-id`]: published?.artifact?.id === undefined ? '' : String(published.artifact.id),
    [`${name}-artifact-url`]: published?.artifact?.url ?? '',
    [`${name}-digest`]: published?.bundle.archive.sha256 ?? ''
  }
}

/** How much of the builds was there already; git objects are no part of a build. */
function cacheHit(caches: readonly CacheAccount[]): 'full' | 'partial' | 'none' {
  // Bundles that are kept only now say nothing of this run.
  const results = caches.filter(({kind, restored}) => kind === 'result' || (kind === 'bundles' && restored))
  if (results.length > 0 && results.every(({exact}) => exact)) return 'full'
  return caches.some(({kind, restored}) => kind !== 'git' && restored !== undefined) ? 'partial' : 'none'
}
