import {Buffer} from 'node:buffer'
import {dirname} from 'node:path'
import type {PrefixRule} from '../network/network.js'
import {proxyEnvironment, type ProxySettings} from '../network/proxy.js'
import type {UserCredentials} from './repository.js'

/** A secret for one server; `origin` is its scheme, host and port. */
export interface ServerCredentials extends UserCredentials {
  readonly origin: string
}

export interface GitSettings {
  /** The environment git would have without us. */
  readonly base: Readonly<Record<string, string | undefined>>
  /** Directories git shall work in whoever owns them, and without looking for a repository above; absolute. */
  readonly directories: readonly string[]
  readonly credentials: readonly ServerCredentials[]
  /** At most one rule for one `from`. */
  readonly rewrites: readonly PrefixRule[]
  readonly proxies: ProxySettings
  /** Whether a server may not send git on to another one. */
  readonly noRedirects?: boolean
  /** File with all certificate authorities to trust, in PEM. */
  readonly certificateFile?: string
}

// They would lead git away from the directory that it is told to work in (git(1), "The Git Repository").
const misleading = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES'
]

/**
 * The whole environment for our git commands. Everything that must not be written to .git/config is configuration in
 * GIT_CONFIG_* variables (git-config(1); Git 2.31 or newer). Credentials are headers for the server they belong to: git
 * matches them against the rewritten URL, so a mirror does not get them.
 */
export function gitEnvironment(settings: GitSettings): Record<string, string> {
  const {base, directories, credentials, rewrites, proxies, noRedirects = false, certificateFile} = settings
  const inherited = Object.entries(base).flatMap(([name, value]) =>
    value === undefined || misleading.includes(name) ? [] : [[name, value] as const]
  )
  const first = /^\d+$/.test(base.GIT_CONFIG_COUNT ?? '') ? Number(base.GIT_CONFIG_COUNT) : 0
  const configuration: (readonly [string, string])[] = [
    ...directories.map(directory => ['safe.directory', directory] as const),
    ...credentials.flatMap(({origin, ...user}): (readonly [string, string])[] => [
      // Empty: forget the header of an existing checkout, because a server refuses two.
      [`http.${origin}/.extraheader`, ''],
      [`http.${origin}/.extraheader`, authorizationHeader(user)]
    ]),
    ...rewrites.map(({from, to}) => [`url.${to}.insteadOf`, from] as const),
    ...(noRedirects ? [['http.followRedirects', 'false'] as const] : []),
    // No packing in the background while the tree is built.
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    // What is received stays a pack, however small: it can be counted and kept.
    ['fetch.unpackLimit', '1'],
    ['submodule.recurse', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    ['advice.detachedHead', 'false'],
    // A connection that is dead for five minutes is given up, and tried again.
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', '300']
  ]
  return {
    ...Object.fromEntries(inherited),
    ...proxyEnvironment(proxies),
    ...(certificateFile === undefined ? {} : {GIT_SSL_CAINFO: certificateFile}),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CEILING_DIRECTORIES: directories.map(directory => dirname(directory)).join(':'),
    GIT_CONFIG_COUNT: String(first + configuration.length),
    ...Object.fromEntries(
      configuration.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${first + index}`, key],
        [`GIT_CONFIG_VALUE_${first + index}`, value]
      ])
    )
  }
}

/** The header that carries credentials (RFC 7617). It is a secret like the password in it. */
export function authorizationHeader({username, password}: UserCredentials): string {
  return `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** What the log must never show of some credentials. */
export function credentialSecrets(user: UserCredentials): readonly string[] {
  const encoded = authorizationHeader(user).replace(/^.* /, '')
  // A token may stand alone, in the user's place.
  return [user.password === '' ? user.username : user.password, encoded]
}
