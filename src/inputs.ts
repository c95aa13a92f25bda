import {problemsError} from './errors.js'
import {InputReader} from './input-reader.js'
import type {CertificatesInput} from './network/certificates.js'
import {mirrorPresets, presetInputs} from './network/mirror-presets.js'
import type {DirectPermissions, PrefixRule, RegistryMirror} from './network/network.js'
import {proxiesFromEnvironment, proxyUrl, type ProxySettings} from './network/proxy.js'
import {proxySecretsIn, redactUrl, secretsIn} from './network/url.js'

// Of each list the first is the default.
export const modes = ['build', 'plan'] as const
export const histories = ['blobless', 'full'] as const
export const targets = ['all', 'binary', 'dynbinary'] as const
export const cacheModes = ['full', 'layers', 'off'] as const
export const preflightModes = ['warn', 'fail', 'off'] as const
export const verifications = ['version', 'off'] as const

/** The inputs of action.yml, checked and taken apart. What the user left out is absent. */
export interface Inputs {
  readonly mode: (typeof modes)[number]
  readonly repository: string
  readonly ref: string
  readonly commit?: string
  readonly path: string
  readonly history: (typeof histories)[number]
  readonly token?: string
  readonly client: string
  readonly clientRepository: string
  readonly target: (typeof targets)[number]
  readonly platforms: readonly string[]
  readonly version?: string
  readonly product?: string
  readonly platformName?: string
  readonly packagerName?: string
  readonly buildArguments: Readonly<Record<string, string>>
  /** As all the mirrors below, in the order to try them. */
  readonly registryMirrors: readonly RegistryMirror[]
  /** Base URLs without a slash at their end. */
  readonly aptMirrors: readonly string[]
  readonly apkMirrors: readonly string[]
  readonly gitMirrors: readonly PrefixRule[]
  readonly downloadMirrors: readonly PrefixRule[]
  readonly goProxy?: string
  readonly goSumdb?: string
  readonly pipIndex?: string
  readonly gemSource?: string
  readonly direct: DirectPermissions
  readonly proxies: ProxySettings
  readonly certificates?: CertificatesInput
  readonly strict: boolean
  readonly preflight: (typeof preflightModes)[number]
  readonly cache: (typeof cacheModes)[number]
  readonly cacheKey: string
  /** Lines for BuildKit, such as `type=registry,ref=…`; never with a secret in them. */
  readonly cacheFrom: readonly string[]
  readonly cacheTo: readonly string[]
  readonly reuse: boolean
  readonly builder?: string
  readonly buildkitImage?: string
  readonly retries: number
  readonly verify: (typeof verifications)[number]
  readonly upload: boolean
  readonly artifactPrefix: string
  readonly retentionDays?: number
  readonly compressionLevel: number
}

/** What the surroundings say about inputs that were left out. */
export interface InputDefaults {
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads the raw texts of the inputs, keyed by their names in action.yml. Every problem is reported, all in one
 * ConfigurationError; no secret appears in it.
 */
export function parseInputs(given: Readonly<Record<string, string>>, {environment}: InputDefaults): Inputs {
  const problems: string[] = []
  const preset = new InputReader(given, problems).choice('mirror-preset', ['none', ...Object.keys(mirrorPresets)])
  const read = new InputReader(preset === 'none' ? given : withPreset(given, presetInputs(preset)), problems)
  const registries = read.registryMirrors('registry-mirrors')
  const apt = read.mirrorUrls('apt-mirror')
  const apk = read.mirrorUrls('apk-mirror')
  const git = read.prefixRules('git-mirrors')
  const downloads = read.prefixRules('download-mirrors')
  const repository = read.repository('repository') ?? 'moby/moby'
  const proxies = proxiesFromEnvironment(environment)
  // Only what no input replaces matters.
  const environmentProxy = (name: string, proxy: string | undefined) =>
    proxy === undefined || read.text(name) !== undefined
      ? undefined
      : read.checkedProxy(`the runner's ${name.replace('-', '_')}`, proxy)
  const inputs: Inputs = defined({
    mode: read.choice('mode', modes),
    repository,
    ref: read.text('ref') ?? callingRef(repository, environment, problems),
    commit: read.matching('commit', /^[0-9a-f]{7,40}$/i, 'a commit hash of 7 to 40 hexadecimal digits')?.toLowerCase(),
    path: read.path('path'),
    history: read.choice('history', histories),
    token: read.text('token'),
    client: read.text('client') ?? 'auto',
    clientRepository: read.repository('client-repository') ?? 'docker/cli',
    target: read.choice('target', targets),
    platforms: read.platforms('platforms'),
    version: read.matching('version', /^[0-9A-Za-z][0-9A-Za-z.-]*$/, 'letters, digits, dots and hyphens only'),
    product: read.line('product'),
    platformName: read.line('platform-name'),
    packagerName: read.line('packager-name'),
    buildArguments: read.buildArguments('build-args'),
    registryMirrors: registries.mirrors,
    aptMirrors: apt.mirrors,
    apkMirrors: apk.mirrors,
    gitMirrors: git.mirrors,
    downloadMirrors: downloads.mirrors,
    goProxy: read.goProxy('go-proxy'),
    goSumdb: read.matching(
      'go-sumdb',
      /^[^\s"'\\$`@]+( https?:\/\/[^\s"'\\$`@]+)?$/,
      'a GOSUMDB value such as sum.golang.google.cn or off, without credentials'
    ),
    pipIndex: read.mirrorUrl('pip-index'),
    gemSource: read.mirrorUrl('gem-source'),
    direct: {
      registries: registries.direct,
      git: git.direct,
      downloads: downloads.direct,
      apt: apt.direct,
      apk: apk.direct
    },
    proxies: defined({
      http: read.proxy('http-proxy') ?? environmentProxy('http-proxy', proxies.http),
      https: read.proxy('https-proxy') ?? environmentProxy('https-proxy', proxies.https),
      none: read.line('no-proxy') ?? proxies.none
    }),
    certificates: read.certificates('ca-certificates'),
    strict: read.flag('strict', false),
    preflight: read.choice('preflight', preflightModes),
    cache: read.choice('cache', cacheModes),
    cacheKey: read.matching('cache-key', /^[^,\s]{1,100}$/, 'at most 100 characters without commas and spaces') ?? '',
    cacheFrom: read.cacheBackends('cache-from'),
    cacheTo: read.cacheBackends('cache-to'),
    reuse: read.flag('reuse', false),
    builder: read.matching(
      'builder',
      /^[0-9A-Za-z][0-9A-Za-z_.-]*$/,
      'the name of a buildx builder, see `docker buildx ls`'
    ),
    buildkitImage: read.matching('buildkit-image', /^[^\s,"]+$/, 'an image reference'),
    retries: read.integer('retries', 0, 10, 2),
    verify: read.choice('verify', verifications),
    upload: read.flag('upload', true),
    artifactPrefix:
      read.matching('artifact-prefix', /^[^\s":<>|*?\\/]+$/, 'text without spaces and " : < > | * ? \\ /') ?? '',
    retentionDays: read.text('retention-days') === undefined ? undefined : read.integer('retention-days', 1, 90, 90),
    compressionLevel: read.integer('compression-level', 0, 9, 0)
  })
  if (problems.length > 0) throw problemsError('Invalid inputs', problems)
  return inputs
}

/** Every secret that the inputs and the runner's proxies carry, to be masked before anything is logged. */
export function secretsOf(raw: Readonly<Record<string, string>>, {environment}: InputDefaults): string[] {
  const proxies = [
    ...Object.entries(environment).flatMap(([name, value]) => (/^[a-z]+_proxy$/i.test(name) ? [value] : [])),
    raw['http-proxy'],
    raw['https-proxy']
  ].map(proxy => proxyUrl(proxy?.trim() ?? ''))
  const secrets = [
    raw.token?.trim() ?? '',
    ...proxies.flatMap(proxySecretsIn),
    ...[...proxies, ...Object.values(raw)].flatMap(secretsIn)
  ]
  return [...new Set(secrets)].filter(secret => secret !== '')
}

function callingRef(repository: string, environment: InputDefaults['environment'], problems: string[]): string {
  const {GITHUB_REPOSITORY: calling, GITHUB_REF: ref, GITHUB_SHA: sha} = environment
  // A branch may have moved on since the event: only a tag is taken by its name.
  if (calling?.toLowerCase() === repository.toLowerCase() && ref && sha) return ref.startsWith('refs/tags/') ? ref : sha
  problems.push(
    `'ref' is required: a tag, branch, full ref or commit of ${redactUrl(repository)} (it is only optional when 'repository' is the repository whose workflow runs)`
  )
  return ''
}

// The user's lines are tried before the preset's.
const listInputs = ['registry-mirrors', 'apt-mirror', 'apk-mirror', 'git-mirrors', 'download-mirrors']

function withPreset(
  given: Readonly<Record<string, string>>,
  preset: Readonly<Record<string, string>>
): Readonly<Record<string, string>> {
  const merged = Object.entries(preset).map(([name, value]) => {
    const own = given[name]?.trim() ?? ''
    if (own === '') return [name, value]
    return [name, listInputs.includes(name) ? `${own}\n${value}` : own]
  })
  return {...given, ...(Object.fromEntries(merged) as Record<string, string>)}
}

/** Drops the keys whose value is undefined, so that "absent" has one form. */
function defined<T extends object>(value: {[Key in keyof T]: T[Key] | undefined}): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T
}
