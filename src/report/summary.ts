import type {BuildResult} from '../build/execute.js'
import type {PublishedBundle} from '../bundles/publish.js'
import type {PreflightResult} from '../network/preflight.js'
import type {Plan} from '../plan/plan.js'
import type {PublishedArtifact} from '../ports.js'
import {formatDuration, formatSize, markdownTable} from '../format.js'
import {preflightSummary} from './preflight-text.js'

/** Everything a finished run has to tell. */
export interface Outcome {
  readonly plan: Plan
  /** What preflight found; empty when it is off. */
  readonly endpoints: readonly PreflightResult[]
  readonly results: readonly BuildResult[]
  readonly bundles: readonly PublishedBundle[]
  readonly outputDirectory: string
  readonly planFile: string
  /** Of the whole run, in seconds. */
  readonly seconds: number
}

/** The job summary: version, commit, binaries, durations, caches, where the artifacts are. */
export function renderSummary({plan, endpoints, results, bundles, outputDirectory, seconds}: Outcome): string {
  const daemon = plan.builds[0]
  const title =
    daemon === undefined ? 'Build Moby' : `Build Moby: ${daemon.stamp.version}, build ${daemon.stamp.commit}`
  return [
    `## ${title}`,
    markdownTable(
      ['component', 'version', 'commit', 'from', 'layers from the cache', 'built in'],
      results.map(({build, progress, cacheHit, seconds: took}) => [
        build.component,
        build.stamp.version,
        `\`${build.source.commit}\` (${build.source.describe})`,
        `${build.source.repository} ${build.source.ref.name}`,
        cacheText(progress.steps, cacheHit, build.cache !== undefined),
        formatDuration(took)
      ])
    ),
    markdownTable(
      ['archive', 'size', 'sha256', 'where'],
      bundles.map(({bundle: {archive, name}, artifact}) => [
        `${name}.tar.gz`,
        formatSize(archive.size),
        `\`${archive.sha256}\``,
        whereText(artifact, archive.path)
      ])
    ),
    markdownTable(
      ['binary', 'size', 'sha256'],
      bundles.flatMap(({bundle}) =>
        bundle.files.map(({path, size, sha256}) => [`${bundle.name}/${path}`, formatSize(size), `\`${sha256}\``])
      )
    ),
    `Verified: ${verifiedText(bundles)}. Whole run: ${formatDuration(seconds)}. Output: \`${outputDirectory}\`.`,
    ...(endpoints.length === 0 ? [] : [preflightSummary(endpoints)]),
    ...plan.notes.map(note => `> ${note}`),
    ''
  ].join('\n\n')
}

function cacheText(steps: readonly {cached: boolean}[], hit: BuildResult['cacheHit'], caching: boolean): string {
  const cached = steps.filter(step => step.cached).length
  const share = `${cached} of ${steps.length} steps`
  return caching ? `${hit} (${share})` : share
}

function whereText(artifact: PublishedArtifact | undefined, path: string): string {
  if (artifact === undefined) return `\`${path}\``
  return /^https?:/.test(artifact.url) ? `[artifact ${artifact.id ?? ''}](${artifact.url})` : `\`${artifact.url}\``
}

function verifiedText(bundles: readonly PublishedBundle[]): string {
  const stamps = bundles.flatMap(({bundle}) => bundle.stamps)
  if (stamps.length === 0) return 'nothing (`verify` is `off`)'
  return stamps
    .map(
      ({path, version, commit, how}) =>
        `${path} says ${version}, build ${commit} (${how === 'ran' ? 'it was run' : `read from its ${how}`})`
    )
    .join('; ')
}
