import {formatSize} from '../format.js'
import type {CacheEntry} from '../ports.js'
import type {CacheKind} from './keys.js'

/** What came of one cache in a run, for the log, the outputs and the summary. */
export interface CacheAccount {
  readonly kind: CacheKind
  /** `daemon`, `client`, or the repository for git objects. */
  readonly of: string
  /** The entry that was restored; absent on a miss. */
  readonly restored?: CacheEntry
  /** Whether `restored` is just what this run needs, and not an older one that helps. */
  readonly exact: boolean
  readonly saved?: CacheEntry
  /** In a few words, what else there is to know: `the same as restored`, `92 % of the objects were there` … */
  readonly note?: string
}

/** What the kinds are called for people. */
export const cacheNames: Readonly<Record<CacheKind, string>> = {
  git: 'git objects',
  result: 'finished layers',
  layers: 'reusable layers',
  mounts: 'cache mounts',
  bundles: 'finished bundles'
}

/** What was found of a cache, for the log: `reusable layers of the daemon: older (610.0 MiB), build-moby-…`. */
export function foundText({kind, of, restored, exact, note}: CacheAccount): string {
  const found = restored === undefined ? 'none' : `${matchText(exact)}${sizeText(restored)}, ${restored.key}`
  return `${cacheNames[kind]} of the ${of}: ${found}${note === undefined ? '' : `; ${note}`}`
}

/** What was kept of a cache, for the log. */
export function savedText({kind, of, saved, note}: CacheAccount): string {
  const what = `Saved the ${cacheNames[kind]} of ${kind === 'git' ? '' : 'the '}${of}`
  return `${what}${saved === undefined ? '' : sizeText(saved)}${note === undefined ? '' : `: ${note}`}`
}

/** Whether what was found is just what was looked for. */
export function matchText(exact: boolean): string {
  return exact ? 'exact' : 'older'
}

function sizeText({bytes}: CacheEntry): string {
  return bytes === undefined ? '' : ` (${formatSize(bytes)})`
}
