import type {Ref} from './refs.js'

// Every tag of moby/moby up to docker-v29.7.2 was read for this rule.
const daemonTagPattern = /^(docker-)?v(\d+)\.(\d+)\.(\d+)((?:-[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*)*)$/

/** Globs for `git describe` that leave out most of what `isDaemonTag` refuses. */
export const daemonTagGlobs = {match: ['v[0-9]*', 'docker-v[0-9]*'], exclude: ['v2.*']} as const

/**
 * Whether a tag names a release of the daemon: `v28.5.2`, `v1.13.0-rc4`, `v17.06.0-ce`, `docker-v29.0.0-rc.1`. Tags of Go
 * modules (`api/v1.52.0`, `client/v0.1.0`, `v2.0.0-beta.3`) and of packages and documents are none: the engine went from
 * 1.13 to 17.03, so `v2` to `v16` are modules.
 */
export function isDaemonTag(tag: string): boolean {
  const major = Number(daemonTagPattern.exec(tag)?.[2] ?? '2')
  return major < 2 || major > 16
}

/** The version that a daemon tag stands for: `28.5.2` for `v28.5.2`, `29.7.2` for `docker-v29.7.2`. */
export function releaseVersion(tag: string): string {
  return tag.replace(/^(docker-)?v/, '')
}

/** `X.Y` of a daemon tag. */
export function releaseLine(tag: string): string {
  const [, , major = '', minor = ''] = daemonTagPattern.exec(tag) ?? []
  return `${major}.${minor}`
}

/** `X.Y.Z` of a daemon tag, without what follows. */
export function releaseNumber(tag: string): string {
  const [, , ...numbers] = daemonTagPattern.exec(tag) ?? []
  return numbers.slice(0, 3).join('.')
}

/** Whether a daemon tag is a final release; `-ce` belongs to the name of one. */
export function isFinalRelease(tag: string): boolean {
  return /^(-ce)?$/.test(daemonTagPattern.exec(tag)?.[5] ?? '-')
}

/** Orders daemon tags from old to new by their version, for `sort`. A pre-release comes before its release. */
export function compareDaemonTags(one: string, other: string): number {
  const byNumber = naturalOrder(releaseNumber(one), releaseNumber(other))
  if (byNumber !== 0) return byNumber
  const byFinality = Number(isFinalRelease(one)) - Number(isFinalRelease(other))
  return byFinality === 0 ? naturalOrder(releaseVersion(one), releaseVersion(other)) : byFinality
}

/** Whether a text can be stamped as a version: moby's scripts and file names allow letters, digits, `.` and `-`. */
export function isStampable(version: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z.-]*$/.test(version)
}

/** The first seven digits of a hash. Git's own short hashes grow with the number of objects in a clone. */
export function shortHash(commit: string): string {
  return commit.slice(0, 7)
}

/** What git knows about the commit that is built. */
export interface CommitFacts {
  readonly ref: Pick<Ref, 'kind' | 'name'>
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** Committer time in seconds since the epoch. */
  readonly commitTime: number
  /** Every tag that points at the commit. */
  readonly tagsHere: readonly string[]
  /** The nearest daemon tag among the commit's ancestors and the number of commits since; absent when there is none. */
  readonly nearest?: {readonly tag: string; readonly distance: number}
}

export interface Stamp {
  /** Made of letters, digits, `.` and `-`. */
  readonly version: string
  /** As `git describe` would say it against daemon tags: `v28.5.2`, `v28.5.2-14-g89c5e8f`, or a bare short hash. */
  readonly describe: string
  readonly nearestTag?: string
}

/**
 * The version to stamp. A release tag gives its own version, and so does a bare commit that a release tag points at; a
 * branch, even one that stands on a release, is `28.5.2-14-g89c5e8f`; without any release below it, a commit is
 * `0.0.0-<UTC time>-<short hash>`, as in Docker's packages (docker/docker-ce-packaging static/gen-static-ver).
 */
export function stampOf({ref, commit, commitTime, tagsHere, nearest}: CommitFacts): Stamp {
  const short = shortHash(commit)
  const isTag = ref.kind === 'tag'
  if (isTag && isDaemonTag(ref.name)) return releaseStamp(ref.name)
  const here = tagsHere.filter(isDaemonTag).sort(compareDaemonTags).at(-1)
  if (here !== undefined) {
    const stamp = releaseStamp(here)
    return isTag || ref.kind === 'commit' ? stamp : {...stamp, version: `${stamp.version}-0-g${short}`}
  }
  if (nearest !== undefined) {
    const suffix = `-${nearest.distance}-g${short}`
    const {version, describe} = releaseStamp(nearest.tag)
    return {version: version + suffix, describe: describe + suffix, nearestTag: nearest.tag}
  }
  const time = new Date(commitTime * 1000).toISOString().replace(/\..*|[-:T]/g, '')
  return {version: `0.0.0-${time}-${short}`, describe: short}
}

function releaseStamp(tag: string): Required<Stamp> {
  return {version: releaseVersion(tag), describe: tag, nearestTag: tag}
}

function naturalOrder(one: string, other: string): number {
  return one.localeCompare(other, 'en', {numeric: true})
}
