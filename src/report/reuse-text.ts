import {markdownTable} from '../format.js'
import type {ReusedBundles} from '../cache/reuse-bundles.js'
import type {Plan} from '../plan/plan.js'

/** What the summary says instead of durations when the bundles are those of an earlier run. */
export function reusedSummary(
  {builds}: Plan,
  {origin, compared, notCompared}: Pick<ReusedBundles, 'origin' | 'compared' | 'notCompared'>
): string[] {
  const since = origin.run === undefined ? origin.when : `${origin.when} ([run](${origin.run}))`
  return [
    `Unchanged since ${since}: nothing was built, the bundles of that run were verified again.`,
    markdownTable(
      ['component', 'version', 'commit', 'from'],
      builds.map(({component, stamp, source}) => [
        component,
        stamp.version,
        `\`${source.commit}\` (${source.describe})`,
        `${source.repository} ${source.ref.name}`
      ])
    ),
    [
      `Compared: ${compared.join('; ')}.`,
      ...(notCompared.length === 0 ? [] : [`Not compared: ${notCompared.join('; ')}.`])
    ].join(' ')
  ]
}
