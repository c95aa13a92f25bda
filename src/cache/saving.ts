import {describeError, isCancellation} from '../errors.js'
import type {Log} from '../ports.js'

/** How much of what a run made anew is kept for later runs. */
export interface SavingRule {
  /** `all`, or only the caches of which nothing was found. */
  readonly what: 'all' | 'missing'
  /** Why not all, to be put behind a colon. */
  readonly why?: string
}

/**
 * What a run may save without driving better entries out of the 10 GB of its repository, by the variables of its runner.
 *
 * GitHub lets a run restore entries of its own ref, of the base branch of its pull request, and of the default branch. So
 * what a branch saves serves that branch's later runs, and those of every other one when it is the default branch; what
 * a pull request saves (under `refs/pull/<number>/merge`) serves only that pull request, what a tag saves only that tag,
 * and what a merge queue saves (under a branch that is removed afterwards) nobody. Beyond 10 GB the entries that were not
 * used for longest are removed, whosever they are. On those refs an older entry that helps is therefore not replaced.
 * Source: docs.github.com, "Dependency caching reference", restrictions for accessing a cache, and usage limits.
 */
export function savingRule(environment: Readonly<Record<string, string | undefined>>): SavingRule {
  const {GITHUB_EVENT_NAME: event = '', GITHUB_REF: ref = ''} = environment
  const served = servedRuns(event, ref)
  if (served === undefined) return {what: 'all'}
  return {what: 'missing', why: `an older entry was found, and ${served}.`}
}

/**
 * What `keep` resolves with. The run has succeeded before: when something goes wrong that `keep` does not expect, that is
 * said, and `otherwise` is what is known.
 *
 * @throws CancelledError when the run is cancelled, before or meanwhile.
 */
export async function keptIfPossible<T>(
  what: string,
  otherwise: T,
  keep: () => Promise<T>,
  {log, pause}: {readonly log: Log; readonly pause: (milliseconds: number) => Promise<void>}
): Promise<T> {
  // A cancelled run keeps nothing more.
  await pause(0)
  try {
    return await keep()
  } catch (error) {
    if (isCancellation(error)) throw error
    log.warning(`The ${what} are not kept: ${describeError(error)}`)
    return otherwise
  }
}

/** Whom a newer entry would serve, if hardly anyone. */
function servedRuns(event: string, ref: string): string | undefined {
  if (event === 'merge_group') return 'nobody else would see a newer one of a merge queue'
  if (ref.startsWith('refs/pull/')) return 'only this pull request would see a newer one'
  // `pull_request_target` runs on the base branch.
  if (event.startsWith('pull_request')) return 'one that a pull request makes is not for the runs of its base branch'
  if (ref.startsWith('refs/tags/')) return 'only this tag would see a newer one'
  return undefined
}
