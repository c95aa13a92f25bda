import {problemsError} from './errors.js'
import {normalRegistry} from './network/images.js'
import {proxiesFromEnvironment, proxyUrl, type ProxySettings} from './network/proxy.js'
import {isHttpUrl, redactText, redactUrl, secretsIn} from './network/url.js'
import {isRepository} from './source/repository.js'

// Of each list the first is the default.
export const modes = ['build', 'plan'] as const
export const histories = ['blobless', 'full'] as const
export const targets = ['all', 'binary', 'dynbinary'] as const
export const cacheModes = ['layers', 'off'] as const
export const verifications = ['version', 'off'] as const

/** One way to reach an image registry: by another host, and a path on it. */
export interface RegistryMirror {
  /** The registry that is replaced, for example `docker.io`. */
  readonly registry: string
  /** `host[:port]` of the mirror. */
  readonly host: string
  /** Path on the mirror without outer slashes, `''` for none. */
  readonly path: string
  /** The scheme, when the user gave one. */
  readonly scheme?: 'http' | 'https'
}

/** Everything below `from` is fetched from below `to`. */
export interface PrefixRule {
  readonly from: string
  readonly to: string
}

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
  readonly registryMirrors: readonly RegistryMirror[]
  readonly aptMirror?: string
  readonly gitMirrors: readonly PrefixRule[]
  readonly goProxy?: string
  readonly goSumdb?: string
  readonly proxies: ProxySettings
  readonly cache: (typeof cacheModes)[number]
  readonly cacheKey: string
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
export function parseInputs(raw: Readonly<Record<string, string>>, {environment}: InputDefaults): Inputs {
  const problems: string[] = []
  const read = new Reader(raw, problems)
  const repository = read.repository('repository') ?? 'moby/moby'
  const proxies = proxiesFromEnvironment(environment)
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
    registryMirrors: read.registryMirrors('registry-mirrors'),
    aptMirror: read.mirrorUrl('apt-mirror')?.replace(/\/+$/, ''),
    gitMirrors: read.prefixRules('git-mirrors'),
    goProxy: read.goProxy('go-proxy'),
    goSumdb: read.matching(
      'go-sumdb',
      /^[^\s"'\\$`@]+( https?:\/\/[^\s"'\\$`@]+)?$/,
      'a GOSUMDB value such as sum.golang.google.cn or off, without credentials'
    ),
    proxies: defined({
      http: read.proxy('http-proxy') ?? proxies.http,
      https: read.proxy('https-proxy') ?? proxies.https,
      none: read.line('no-proxy') ?? proxies.none
    }),
    cache: read.choice('cache', cacheModes),
    cacheKey: read.matching('cache-key', /^[^,\s]{1,100}$/, 'at most 100 characters without commas and spaces') ?? '',
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

/** What sets a build argument that is not the user's to set: the plan and its stamp follow from it. */
function inputOfArgument(name: string): string | undefined {
  if (/_proxy$/i.test(name)) return "the proxy inputs 'http-proxy', 'https-proxy' and 'no-proxy'"
  const owners: Readonly<Record<string, string>> = {
    VERSION: "'version'",
    PLATFORM: "'platform-name'",
    PRODUCT: "'product'",
    PACKAGER_NAME: "'packager-name'",
    DOCKER_GITCOMMIT: 'the checked-out commit',
    GITCOMMIT: 'the checked-out commit',
    SOURCE_DATE_EPOCH: 'the checked-out commit'
  }
  return owners[name]
}

/** Every secret that the inputs and the runner's proxies carry, to be masked before anything is logged. */
export function secretsOf(raw: Readonly<Record<string, string>>, {environment}: InputDefaults): string[] {
  const proxies = [
    ...Object.entries(environment).flatMap(([name, value]) => (/^[a-z]+_proxy$/i.test(name) ? [value] : [])),
    raw['http-proxy'],
    raw['https-proxy']
  ].map(proxy => proxyUrl(proxy?.trim() ?? ''))
  const secrets = [raw.token?.trim() ?? '', ...[...proxies, ...Object.values(raw)].flatMap(secretsIn)]
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

/** Drops the keys whose value is undefined, so that "absent" has one form. */
function defined<T extends object>(value: {[Key in keyof T]: T[Key] | undefined}): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T
}

class Reader {
  readonly #raw: Readonly<Record<string, string>>
  readonly #problems: string[]

  constructor(raw: Readonly<Record<string, string>>, problems: string[]) {
    this.#raw = raw
    this.#problems = problems
  }

  text(name: string): string | undefined {
    const value = (this.#raw[name] ?? '').trim()
    return value === '' ? undefined : value
  }

  line(name: string): string | undefined {
    return this.matching(name, /^[^\r\n"\\$`]+$/, 'one line without quotes, backslashes, $ and `')
  }

  matching(name: string, pattern: RegExp, allowed: string): string | undefined {
    const value = this.text(name)
    if (value === undefined || pattern.test(value)) return value
    this.#problem(name, `must be ${allowed}`, value)
    return undefined
  }

  choice<const T extends readonly [string, ...string[]]>(name: string, allowed: T): T[number] {
    const value = this.text(name)
    const found = allowed.find(choice => choice === value)
    if (value !== undefined && found === undefined) this.#problem(name, `must be one of ${allowed.join(', ')}`, value)
    return found ?? allowed[0]
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.text(name)
    if (value === undefined) return fallback
    if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
    this.#problem(name, 'must be true or false', value)
    return fallback
  }

  integer(name: string, least: number, most: number, fallback: number): number {
    const value = this.text(name)
    if (value === undefined) return fallback
    if (/^\d{1,4}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value)
    this.#problem(name, `must be a whole number from ${least} to ${most}`, value)
    return fallback
  }

  path(name: string): string {
    const value = this.text(name) ?? 'moby'
    const parts = value.split('/').filter(part => part !== '' && part !== '.')
    if (parts.length === 0 || value.startsWith('/') || parts.includes('..') || parts.includes('.git')) {
      this.#problem(name, 'must be a directory below the workspace', value)
    }
    return parts.join('/')
  }

  repository(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined || isRepository(value)) return value
    this.#problem(name, 'must be owner/name, a git URL, or a path that begins with / or ./', value)
    return undefined
  }

  platforms(name: string): readonly string[] {
    const platforms = (this.text(name) ?? '').split(/[\s,]+/).filter(platform => platform !== '')
    for (const platform of platforms) {
      if (!/^[a-z0-9]+\/[a-z0-9_]+(\/v[0-9]+)?$/.test(platform)) {
        this.#problem(name, 'must list platforms such as linux/amd64 or linux/arm/v7', platform)
      }
    }
    return [...new Set(platforms)]
  }

  buildArguments(name: string): Readonly<Record<string, string>> {
    const parsed: Record<string, string> = {}
    for (const line of this.#lines(name)) {
      const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? []
      const owner = key === undefined ? undefined : inputOfArgument(key)
      if (key === undefined || value === undefined) {
        this.#problem(name, 'must have lines NAME=value', line.split('=')[0] ?? '')
      } else if (owner !== undefined) this.#problem(name, `must not set what ${owner} sets`, key)
      else parsed[key] = value
    }
    return parsed
  }

  registryMirrors(name: string): readonly RegistryMirror[] {
    return this.#lines(name).flatMap((line): RegistryMirror[] => {
      const [, registry, scheme, host, path] =
        /^([\w.:-]+)=(?:(https?):\/\/)?([\w.-]+(?::\d+)?|\[[\da-f:]+\](?::\d+)?)((?:\/[\w.-]+)*)\/?$/i.exec(line) ?? []
      if (registry === undefined || host === undefined || !isRegistryHost(registry) || !isRegistryHost(host)) {
        this.#problem(
          name,
          'must have lines registry=host[:port][/path], both hosts with a dot or a port, without credentials (use `docker login` for those)',
          line
        )
        return []
      }
      if (normalRegistry(registry.toLowerCase()) === normalRegistry(host)) {
        this.#problem(name, 'must not send a registry to itself', line)
        return []
      }
      const mirror = {registry: normalRegistry(registry.toLowerCase()), host, path: (path ?? '').slice(1)}
      return [scheme === 'http' || scheme === 'https' ? {...mirror, scheme} : mirror]
    })
  }

  prefixRules(name: string): readonly PrefixRule[] {
    return this.#lines(name).flatMap(line => {
      const [from = '', to = '', ...more] = line.split(/=(?=https?:\/\/)/)
      if (more.length > 0 || !isHttpUrl(from) || !isHttpUrl(to) || hasUserinfo(line) || /["'\\\s$`#;]/.test(line)) {
        this.#problem(
          name,
          'must have lines https://upstream/=https://mirror/, without credentials (they would stay in the build)',
          line
        )
        return []
      }
      if (from.endsWith('/') !== to.endsWith('/')) {
        this.#problem(name, 'must end both the prefix and its mirror with a slash, or neither', line)
        return []
      }
      return [{from, to}]
    })
  }

  mirrorUrl(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined || (isHttpUrl(value) && !hasUserinfo(value) && !/["'\\\s$`#|&]/.test(value))) return value
    this.#problem(name, 'must be an http or https URL without credentials (they would stay in the build)', value)
    return undefined
  }

  goProxy(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const valid = value.split(/[,|]/).every(part => part === 'direct' || part === 'off' || isHttpUrl(part))
    if (valid && !hasUserinfo(value) && !/["'\\\s$`]/.test(value)) return value
    this.#problem(name, "must be a GOPROXY value: URLs, 'direct' or 'off' joined by commas, without credentials", value)
    return undefined
  }

  proxy(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const url = proxyUrl(value)
    if (isHttpUrl(url) && !/["\\\s$`]/.test(url)) return url
    this.#problem(name, 'must be a proxy such as http://user:password@host:3128', value)
    return undefined
  }

  #lines(name: string): string[] {
    return (this.text(name) ?? '')
      .split(/\r?\n/)
      .map(line => line.trim())
      .filter(line => line !== '' && !line.startsWith('#'))
  }

  #problem(name: string, rule: string, value: string): void {
    this.#problems.push(`'${name}' ${rule}, got '${redactText(value)}'`)
  }
}

function hasUserinfo(text: string): boolean {
  return /:\/\/[^/\s]*@/.test(text)
}

// In an image name any other word is the first part of a path on docker.io (distribution/reference).
function isRegistryHost(host: string): boolean {
  return /[.:]/.test(host) || host === 'localhost'
}
