import type {AddSource} from '../recipes/external-sources.js'
import type {Network, PrefixRule, RegistryMirror} from './network.js'
import {mirroredUrl, ruleFor} from './prefix-rules.js'

/**
 * One rule of a BuildKit source policy (moby/buildkit sourcepolicy/pb/policy.proto). In a WILDCARD, which is what a
 * selector is unless it says otherwise, `*` stands for any text and is `${1}` in the updates.
 */
export interface SourcePolicyRule {
  readonly action: 'CONVERT' | 'DENY' | 'ALLOW'
  readonly selector: {
    readonly identifier: string
    readonly match_type?: 'WILDCARD' | 'REGEX'
    readonly constraints?: readonly {readonly key: string; readonly value: string; readonly condition: 'MATCHES'}[]
  }
  readonly updates?: {readonly identifier?: string; readonly attrs?: Readonly<Record<string, string>>}
}

export interface SourcePolicy {
  readonly version: 1
  readonly rules: readonly SourcePolicyRule[]
}

/** What the policy of one build depends on, besides the network. */
export interface PolicySources {
  /** What the tree adds with `ADD`. */
  readonly adds: readonly AddSource[]
  /** Whether the network's proxies are those of who fetches, which they are of a builder that the action creates. */
  readonly proxied: boolean
}

/**
 * The policy that sends what BuildKit itself fetches to the mirrors: every image of a mirrored registry, the `# syntax`
 * frontend among them, the repositories that the tree adds, and files. Under `strict` it also refuses everything that
 * neither goes to a mirror or through a proxy nor is permitted. Undefined when nothing is mirrored and nothing refused.
 *
 * BuildKit applies the first conversion that matches and looks at the result again; what is left as it is at last is
 * decided by the last of the other rules that match (moby/buildkit sourcepolicy/engine.go). What a build takes from this
 * machine (`local`, `oci-layout`) and from other targets is not touched.
 */
export function sourcePolicy(network: Network, sources: PolicySources): SourcePolicy | undefined {
  const rules = [...conversions(network, sources), ...(network.strict ? wall(network, sources) : [])]
  return rules.length === 0 ? undefined : {version: 1, rules}
}

/** `host[:port][/path]`, as an image name begins with it. */
export function mirrorName({host, path}: Pick<RegistryMirror, 'host' | 'path'>): string {
  return path === '' ? host : `${host}/${path}`
}

function conversions({registryMirrors, gitMirrors, downloadMirrors}: Network, {adds}: PolicySources) {
  const repositories = new Set(adds.filter(({kind}) => kind === 'git').map(({url}) => url.replace(/[?#].*$/, '')))
  const longestFirst = downloadMirrors.toSorted((one, other) => other.from.length - one.from.length)
  return [
    ...registryMirrors.map(mirror =>
      convert(`docker-image://${mirror.registry}/*`, `docker-image://${mirrorName(mirror)}/$\{1}`)
    ),
    ...[...repositories].flatMap(url => {
      const rule = ruleFor(url, gitMirrors)
      return rule === undefined ? [] : [convertRepository(url, rule)]
    }),
    ...longestFirst.map(({from, to}) => convert(`${from}*`, `${to}$\{1}`))
  ]
}

/**
 * For a repository BuildKit looks at the attribute `git.fullurl` and not at the identifier, and attributes take no
 * captures: hence one rule for each (moby/buildkit sourcepolicy/mutate.go, source/git/identifier.go).
 */
function convertRepository(repository: string, rule: PrefixRule): SourcePolicyRule {
  const mirrored = mirroredUrl(repository, rule)
  // What the star stands for is the ref: without it BuildKit would take the mirror's default branch.
  return convert(`${gitIdentifier(repository)}*`, `${gitIdentifier(mirrored)}$\{1}`, {'git.fullurl': mirrored})
}

function convert(from: string, to: string, attrs?: Readonly<Record<string, string>>): SourcePolicyRule {
  return {
    action: 'CONVERT',
    selector: {identifier: from, match_type: 'WILDCARD'},
    updates: {identifier: to, ...(attrs === undefined ? {} : {attrs})}
  }
}

function wall(network: Network, {proxied}: PolicySources): SourcePolicyRule[] {
  const {registryMirrors, gitMirrors, downloadMirrors, direct} = network
  const registries = [...registryMirrors.map(mirrorName), ...direct.registries]
  const repositories = [...gitMirrors.map(({to}) => to), ...direct.git]
  const downloads = [...downloadMirrors.map(({to}) => to), ...direct.downloads]
  const open = [
    ...registries.map(registry => `docker-image://${registry}/*`),
    ...repositories.map(prefix => `${gitIdentifier(prefix)}*`),
    ...downloads.map(prefix => `${prefix}*`)
  ]
  return [
    ...['docker-image://*', 'git://*', 'http://*', 'https://*'].map(wildcard('DENY')),
    ...[...new Set(open)].map(wildcard('ALLOW')),
    ...(proxied ? throughProxies(network) : [])
  ]
}

function wildcard(action: 'ALLOW' | 'DENY') {
  return (identifier: string): SourcePolicyRule => ({action, selector: {identifier, match_type: 'WILDCARD'}})
}

/** Registries speak HTTPS; only mirrors may do otherwise. A repository tells its protocol in its full URL alone. */
function throughProxies({proxies}: Network): SourcePolicyRule[] {
  const allow = wildcard('ALLOW')
  const schemes = (['http', 'https'] as const).filter(scheme => proxies[scheme] !== undefined)
  if (schemes.length === 0) return []
  return [
    ...(schemes.includes('https') ? [allow('docker-image://*')] : []),
    ...schemes.map(scheme => allow(`${scheme}://*`)),
    {
      action: 'ALLOW',
      // BuildKit up to 0.25 keeps the constraints of the first selector that looks the same, so this one looks like no other.
      selector: {
        identifier: '^git://',
        match_type: 'REGEX',
        constraints: [{key: 'git.fullurl', value: `^(${schemes.join('|')})://`, condition: 'MATCHES'}]
      }
    }
  ]
}

/**
 * A repository, or a prefix of some, as BuildKit identifies it: without protocol and user, single slashes in its path
 * (moby/buildkit client/llb/source.go, Git).
 */
function gitIdentifier(url: string): string {
  const [, host = '', path = ''] = /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?([^/]*)(.*)$/i.exec(url) ?? []
  return `git://${host}${path.replace(/\/+/g, '/')}`
}
