import {ConfigurationError} from '../errors.js'
import {compareDaemonTags, isDaemonTag, releaseVersion} from './version.js'

export type RefKind = 'tag' | 'branch' | 'pull' | 'commit' | 'ref'

/** What a user's `ref` means. */
export interface Ref {
  readonly kind: RefKind
  /** As people say it: `v28.5.2`, `master`, `pull/42/merge`, the digits of a commit. */
  readonly name: string
  /** `refs/tags/v28.5.2`; for a commit the same as `name`. */
  readonly fullName: string
}

export interface ResolvedRef extends Ref {
  /** 40 hexadecimal digits; absent for an abbreviated commit, which only a history can complete. */
  readonly commit?: string
  /** A ref of the same name that was passed over. */
  readonly passedOver?: string
}

/** The refs of a remote repository: full name to commit (for an annotated tag, the commit it points at). */
export type RemoteRefs = ReadonlyMap<string, string>

/** Reads the output of `git ls-remote`; `head` is what `HEAD` stands for, when it was asked for with `--symref`. */
export function parseListing(output: string): {readonly refs: RemoteRefs; readonly head?: string} {
  const refs = new Map<string, string>()
  let head: string | undefined
  for (const line of output.split('\n')) {
    const [value = '', name = ''] = line.split('\t')
    if (name === 'HEAD' && value.startsWith('ref: ')) head = value.slice('ref: '.length)
    // `name^{}` follows `name` and holds what an annotated tag points at.
    else if (/^[0-9a-f]{40}$/.test(value)) refs.set(name.replace(/\^\{\}$/, ''), value)
  }
  return head === undefined ? {refs} : {refs, head}
}

/** The full name of a ref that `ls-remote --heads --tags` does not show, or undefined: `HEAD`, `refs/pull/42/merge`. */
export function unusualRef(ref: string): string | undefined {
  if (ref === 'HEAD') return ref
  if (/^pull\/\d+\//.test(ref)) return `refs/${ref}`
  return /^refs\/(?!heads\/|tags\/)/.test(ref) ? ref : undefined
}

/**
 * Finds what `ref` means in a remote: a full ref, else a tag, else a branch, else a commit (7 to 40 digits). Throws a
 * ConfigurationError that names `input` and the nearest names there are.
 */
export function resolveRef(ref: string, refs: RemoteRefs, input: string, repository: string): ResolvedRef {
  const found = [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`].filter(
    name => refs.has(name) && (name === 'HEAD' || name.startsWith('refs/'))
  )
  const [fullName, passedOver] = found
  if (fullName !== undefined) {
    const commit = refs.get(fullName) ?? ''
    return {...namedRef(fullName), commit, ...(passedOver === undefined ? {} : {passedOver})}
  }
  const hash = ref.toLowerCase()
  if (/^[0-9a-f]{40}$/.test(hash)) return {kind: 'commit', name: hash, fullName: hash, commit: hash}
  if (/^[0-9a-f]{7,39}$/.test(hash)) return {kind: 'commit', name: hash, fullName: hash}
  throw new ConfigurationError(unknownRef(ref, refs, input, repository))
}

function namedRef(fullName: string): Ref {
  const [, kind, name = ''] = /^refs\/(tags|heads)\/(.+)$/.exec(fullName) ?? []
  if (kind === 'tags') return {kind: 'tag', name, fullName}
  if (kind === 'heads') return {kind: 'branch', name, fullName}
  const isPull = fullName.startsWith('refs/pull/')
  return {kind: isPull ? 'pull' : 'ref', name: fullName.replace(/^refs\//, ''), fullName}
}

function unknownRef(ref: string, refs: RemoteRefs, input: string, repository: string): string {
  const problem = `Input '${input}': ${repository} has no tag, branch or other ref named '${ref}'`
  if (refs.size === 0) return `${problem}: it has no branch and no tag at all`
  const names = nearestNames(ref, refs)
  if (names.length === 0) return `${problem}, and none of a similar name (it has ${refs.size} branches and tags)`
  return `${problem}; did you mean ${names.join(', ')}?`
}

/** At most three names of tags and branches that a misspelt `ref` may have meant, the likeliest first. */
export function nearestNames(ref: string, refs: RemoteRefs): readonly string[] {
  const asked = bareName(ref.replace(/^refs\/(tags|heads)\//, ''))
  const candidates = [...refs.keys()]
    .map(fullName => fullName.replace(/^refs\/(tags|heads)\//, ''))
    .filter(name => name !== 'HEAD' && !name.startsWith('refs/'))
    .map(name => ({name, distance: editDistance(asked, bareName(name)), daemon: isDaemonTag(name)}))
  const least = Math.min(...candidates.map(({distance}) => distance))
  return candidates
    .filter(({distance}) => distance <= Math.max(2, asked.length / 3) && (least > 0 || distance === 0))
    .sort(
      (one, other) =>
        one.distance - other.distance ||
        Number(other.daemon) - Number(one.daemon) ||
        compareDaemonTags(other.name, one.name)
    )
    .slice(0, 3)
    .map(({name}) => name)
}

// People write the version, moby's tags carry `v` or, since 29, `docker-v`.
function bareName(name: string): string {
  return releaseVersion(name).toLowerCase()
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
  let row = Array.from({length: other.length + 1}, (_, index) => index)
  for (let index = 0; index < one.length; index++) {
    const next = [index + 1]
    for (let column = 1; column <= other.length; column++) {
      const change = (row[column - 1] ?? 0) + (one[index] === other[column - 1] ? 0 : 1)
      next.push(Math.min(change, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}

/**
 * Checks the pin: throws a ConfigurationError when `ref` has become another commit than the one that input `commit`
 * (7 to 40 digits) names.
 */
export function checkPin(ref: Ref, commit: string, pin: string | undefined): void {
  if (pin === undefined || commit.startsWith(pin.toLowerCase())) return
  const [moved, advice] =
    ref.kind === 'tag'
      ? [`moved tag: ${ref.name}`, 'Find out why the tag was moved']
      : [`${ref.name} is no longer what it was: it`, 'Look at what was pushed']
  throw new ConfigurationError(
    `Input 'commit': ${moved} resolves to ${commit}, not to ${pin}. ${advice}; then change 'commit', or leave it out.`
  )
}
