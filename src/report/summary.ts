import type {BuildResult} from '../build/execute.js'
import {makesLayer, type Step} from '../build/progress.js'
import {cacheNames, matchText, type CacheAccount} from '../cache/account.js'
import type {ReusedBundles} from '../cache/reuse-bundles.js'
import type {PublishedBundle} from '../bundles/publish.js'
import type {PreflightResult} from '../network/preflight.js'
import type {Plan} from '../plan/plan.js'
import type {CacheEntry, PublishedArtifact} from '../ports.js'
import {formatDuration, formatSize, markdownTable} from '../format.js'
import {preflightSummary} from './preflight-text.js'
import {reusedSummary} from './reuse-text.js'

/** Everything a finished run has to tell. */
export interface Outcome {
  readonly plan: Plan
  /** What preflight found; empty when it is off. */
  readonly endpoints: readonly PreflightResult[]
  readonly results: readonly BuildResult[]
  readonly caches: readonly CacheAccount[]
  readonly bundles: readonly PublishedBundle[]
  /** When nothing was built, because an earlier run has built the same. */
  readonly reused?: Pick<ReusedBundles, 'origin' | 'compared' | 'notCompared'>
  readonly outputDirectory: string
  readonly planFile: string
  /** Of the whole run, in seconds. */
  readonly seconds: number
}

/** The job summary: version, commit, binaries, durations, caches, where the artifacts are. */
export function renderSummary(outcome: Outcome): string {
  const {plan, endpoints, results, caches, bundles, reused, outputDirectory, seconds} = outcome
  const daemon = plan.builds[0]
  const title =
    daemon === undefined ? 'Build Moby' : `Build Moby: ${daemon.stamp.version}, build ${daemon.stamp.commit}`
  return [
    `## ${title}`,
    ...(reused === undefined ? [builtTable(results)] : reusedSummary(plan, reused)),
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
    ...(caches.length === 0 ? [] : [cacheTable(caches)]),
    ...(endpoints.length === 0 ? [] : [preflightSummary(endpoints)]),
    ...(plan.reuse !== undefined && 'why' in plan.reuse ? [`> Nothing is reused: ${plan.reuse.why}.`] : []),
    ...plan.notes.map(note => `> ${note}`),
    ''
  ].join('\n\n')
}

function builtTable(results: readonly BuildResult[]): string {
  return markdownTable(
    ['component', 'version', 'commit', 'from', 'cached steps', 'built in'],
    results.map(({build, progress, seconds: took}) => [
      build.component,
      build.stamp.version,
      `\`${build.source.commit}\` (${build.source.describe})`,
      `${build.source.repository} ${build.source.ref.name}`,
      cachedText(progress.steps),
      formatDuration(took)
    ])
  )
}

/** Of the steps that make layers, those that did not run. */
function cachedText(steps: readonly Step[]): string {
  const making = steps.filter(makesLayer)
  return `${making.filter(({cached}) => cached).length} of ${making.length}`
}

/** One line for each entry that was looked for: what was found of it and what is kept for the next run. */
function cacheTable(caches: readonly CacheAccount[]): string {
  return markdownTable(
    ['cache', 'of', 'found', 'restored, packed', 'saved, packed', 'note'],
    caches.map(({kind, of, restored, exact, saved, note}) => [
      cacheNames[kind],
      of,
      restored === undefined ? 'none' : matchText(exact),
      sizeText(restored),
      sizeText(saved),
      note ?? ''
    ])
  )
}

function sizeText(entry: CacheEntry | undefined): string {
  if (entry === undefined) return ''
  return entry.bytes === undefined ? 'yes' : formatSize(entry.bytes)
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
