import type {PrefixRule, RegistryMirror} from '../inputs.js'
import type {AddSource} from '../recipes/external-sources.js'

/** One rule of a BuildKit source policy (moby/buildkit sourcepolicy/pb/policy.proto). */
export interface SourcePolicyRule {
  readonly action: 'CONVERT'
  readonly selector: {readonly identifier: string; readonly match_type?: 'WILDCARD'}
  readonly updates: {readonly identifier?: string; readonly attrs?: Readonly<Record<string, string>>}
}

export interface SourcePolicy {
  readonly version: 1
  readonly rules: readonly SourcePolicyRule[]
}

/**
 * The policy that sends what BuildKit itself fetches to the mirrors: every image of a mirrored registry, the `# syntax`
 * frontend among them, and the repositories that the tree adds with `ADD`. Undefined when nothing is mirrored.
 *
 * For a repository BuildKit looks at the attribute `git.fullurl` and not at the identifier, and attributes take no
 * captures: hence one rule for each (moby/buildkit sourcepolicy/mutate.go, source/git/identifier.go).
 */
export function sourcePolicy(
  mirrors: readonly RegistryMirror[],
  gitMirrors: readonly PrefixRule[],
  adds: readonly AddSource[]
): SourcePolicy | undefined {
  const images = mirrors.map(({registry, host, path}) => convertImages(registry, mirrorName({host, path})))
  const urls = new Set(adds.filter(({kind}) => kind === 'git').map(({url}) => url.replace(/[?#].*$/, '')))
  const repositories = [...urls].flatMap(url => {
    const rule = gitMirrors.find(({from}) => url.startsWith(from))
    return rule === undefined ? [] : [convertRepository(url, rule)]
  })
  const rules = [...images, ...repositories]
  return rules.length === 0 ? undefined : {version: 1, rules}
}

/** `host[:port][/path]`, as an image name begins with it. */
export function mirrorName({host, path}: Pick<RegistryMirror, 'host' | 'path'>): string {
  return path === '' ? host : `${host}/${path}`
}

function convertImages(registry: string, mirror: string): SourcePolicyRule {
  return {
    action: 'CONVERT',
    selector: {identifier: `docker-image://${registry}/*`, match_type: 'WILDCARD'},
    updates: {identifier: `docker-image://${mirror}/$\{1}`}
  }
}

function convertRepository(repository: string, {from, to}: PrefixRule): SourcePolicyRule {
  const identifier = `git://${repository.replace(/^[a-z]+:\/\//, '')}`
  const mirrored = to + repository.slice(from.length)
  return {
    action: 'CONVERT',
    selector: {identifier: `${identifier}*`, match_type: 'WILDCARD'},
    // What the star stands for is the ref: without it BuildKit would take the mirror's default branch.
    updates: {identifier: `git://${mirrored.replace(/^[a-z]+:\/\//, '')}$\{1}`, attrs: {'git.fullurl': mirrored}}
  }
}
