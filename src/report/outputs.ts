import type {CacheHit} from '../build/execute.js'
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
export function runOutputs({plan, planFile, results, bundles, outputDirectory}: Outcome): Record<string, string> {
  const client = bundles.find(({bundle}) => bundle.name === 'binary-client')
  const daemon = bundles.find(({bundle}) => bundle.name === 'binary-daemon')
  return {
    ...planOutputs(plan, planFile),
    bundles: outputDirectory,
    ...bundleOutputs('client', client),
    ...bundleOutputs('daemon', daemon),
    'cache-hit': overallHit(results.map(({cacheHit}) => cacheHit))
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

function overallHit(hits: readonly CacheHit[]): CacheHit {
  if (hits.length > 0 && hits.every(hit => hit === 'full')) return 'full'
  return hits.some(hit => hit !== 'none') ? 'partial' : 'none'
}
