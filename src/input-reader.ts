import {backendProblem} from './cache/backends.js'
import {platformRule} from './engine/platforms.js'
import {certificateProblem, type CertificatesInput} from './network/certificates.js'
import {normalRegistry} from './network/images.js'
import type {PrefixRule, RegistryMirror} from './network/network.js'
import {isProxyUrl, proxyUrl} from './network/proxy.js'
import {isHttpUrl, redactText} from './network/url.js'
import {isRepository} from './source/repository.js'

/** Reads inputs by name from their raw texts, and collects what is wrong with them. */
export class InputReader {
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
      const rule = platformRule(platform)
      if (rule !== undefined) this.#problem(name, rule, platform)
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

  /** Lines `registry=mirror`, and `registry=direct`. */
  registryMirrors(name: string): {readonly mirrors: readonly RegistryMirror[]; readonly direct: readonly string[]} {
    const direct: string[] = []
    const mirrors = this.#lines(name).flatMap((line): RegistryMirror[] => {
      const [, registry = '', value = ''] = /^([\w.:-]+)=(.+)$/.exec(line) ?? []
      if (value === 'direct' && isRegistryHost(registry)) {
        direct.push(normalRegistry(registry.toLowerCase()))
        return []
      }
      const [, scheme, host, path = ''] =
        /^(?:(https?):\/\/)?([\w.-]+(?::\d+)?|\[[\da-f:]+\](?::\d+)?)((?:\/[\w.-]+)*)\/?$/i.exec(value) ?? []
      if (host === undefined || !isRegistryHost(registry) || !isRegistryHost(host)) {
        this.#problem(
          name,
          'must have lines registry=host[:port][/path] or registry=direct, both hosts with a dot or a port, without credentials (use `docker login` for those)',
          line
        )
        return []
      }
      if (normalRegistry(registry.toLowerCase()) === normalRegistry(host)) {
        this.#problem(name, 'must not send a registry to itself (registry=direct permits what is direct)', line)
        return []
      }
      const mirror = {registry: normalRegistry(registry.toLowerCase()), host, path: path.slice(1)}
      return [scheme === 'http' || scheme === 'https' ? {...mirror, scheme} : mirror]
    })
    const chained = mirrors.find(({host}) => mirrors.some(({registry}) => registry === normalRegistry(host)))
    if (chained !== undefined) {
      this.#problem(name, 'must not name a mirror that another line sends elsewhere', chained.host)
    }
    return {mirrors, direct}
  }

  /** Lines `prefix=mirror`, and `prefix=direct`. */
  prefixRules(name: string): {readonly mirrors: readonly PrefixRule[]; readonly direct: readonly string[]} {
    const direct: string[] = []
    const mirrors = this.#lines(name).flatMap(line => {
      const [from = '', to = '', ...more] = line.split(/=(?=https?:\/\/|direct$)/)
      const target = to === 'direct' ? from : to
      if (more.length > 0 || ![from, target].every(isHttpUrl) || hasUserinfo(line) || unsafe.test(line)) {
        this.#problem(
          name,
          'must have lines https://upstream/=https://mirror/ or https://upstream/=direct, without credentials (they would stay in the build)',
          line
        )
        return []
      }
      if (to === 'direct') {
        direct.push(from)
        return []
      }
      if (from.endsWith('/') !== to.endsWith('/')) {
        this.#problem(name, 'must end both the prefix and its mirror with a slash, or neither', line)
        return []
      }
      return [{from, to}]
    })
    const chained = mirrors.find(({to}) => mirrors.some(({from}) => to.startsWith(from)))
    if (chained !== undefined) {
      this.#problem(name, 'must not name a mirror that another line sends elsewhere', chained.to)
    }
    return {mirrors, direct}
  }

  /** Base URLs separated by spaces or lines, returned without a slash at their end, and the word `direct`. */
  mirrorUrls(name: string): {readonly mirrors: readonly string[]; readonly direct: boolean} {
    const words = this.#lines(name).flatMap(line => line.split(/\s+/))
    const mirrors = words.filter(word => word !== 'direct')
    if (!mirrors.every(isMirrorUrl)) {
      this.#problem(
        name,
        'must be http or https URLs without credentials (they would stay in the build), or direct',
        words.join(' ')
      )
    }
    return {mirrors: mirrors.map(mirror => mirror.replace(/\/+$/, '')), direct: words.includes('direct')}
  }

  mirrorUrl(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined || isMirrorUrl(value)) return value
    this.#problem(name, 'must be an http or https URL without credentials (they would stay in the build)', value)
    return undefined
  }

  /** Lines of BuildKit's cache backends. */
  cacheBackends(name: 'cache-from' | 'cache-to'): readonly string[] {
    const lines = this.#lines(name)
    for (const line of lines) {
      const problem = backendProblem(line, name === 'cache-from' ? 'from' : 'to')
      // A secret could be in it: nothing of the line is shown.
      if (problem !== undefined) this.#problems.push(`'${name}' ${problem}`)
    }
    return lines
  }

  certificates(name: string): CertificatesInput | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!value.includes('-----BEGIN') && !value.includes('\n')) return {path: value}
    const problem = certificateProblem(value)
    if (problem === undefined) return {pem: value}
    // A key could be in it: nothing of the text is shown.
    this.#problems.push(`'${name}' must be PEM text of certificates or the path of a file with it, but ${problem}`)
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
    return this.checkedProxy(`'${name}'`, value)
  }

  /** A proxy that `origin` names, if it is one. */
  checkedProxy(origin: string, value: string): string | undefined {
    const url = proxyUrl(value)
    if (isProxyUrl(url)) return url
    this.#problems.push(
      `${origin} must be a proxy such as http://user:password@host:3128, user and password percent-encoded (@ is %40, / is %2F), got '${value.replace(/^.*@/s, '***@')}'`
    )
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

// These would end a quoted word, a sed expression or a line of configuration.
const unsafe = /["'\\\s$`#;|&%*]/

function isMirrorUrl(text: string): boolean {
  return isHttpUrl(text) && !hasUserinfo(text) && !unsafe.test(text)
}

// In an image name any other word is the first part of a path on docker.io (distribution/reference).
function isRegistryHost(host: string): boolean {
  return /[.:]/.test(host) || host === 'localhost'
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
