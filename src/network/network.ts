import type {ProxySettings} from './proxy.js'

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

/** A mirror that answered. */
export interface ReachableMirror extends RegistryMirror {
  readonly scheme: 'http' | 'https'
}

/** Everything below `from` is fetched from below `to`. */
export interface PrefixRule {
  readonly from: string
  readonly to: string
}

/** What may be fetched from where the tree says, although everything else is refused: `=direct` in a mirror's place. */
export interface DirectPermissions {
  /** Registries, such as `docker.io`. */
  readonly registries: readonly string[]
  /** URL prefixes of git repositories. */
  readonly git: readonly string[]
  /** URL prefixes of other downloads. */
  readonly downloads: readonly string[]
  readonly apt: boolean
  readonly apk: boolean
}

/** The mirrors, proxies and permissions in effect: what the inputs say, without the mirrors that do not answer. */
export interface Network {
  /** One for each registry. */
  readonly registryMirrors: readonly ReachableMirror[]
  /** One for each prefix, longer prefixes first. */
  readonly gitMirrors: readonly PrefixRule[]
  /** One for each prefix, longer prefixes first. */
  readonly downloadMirrors: readonly PrefixRule[]
  /** Base URL of Debian's and Ubuntu's archives, without a slash at its end. */
  readonly aptMirror?: string
  /** Base URL of Alpine's packages, without a slash at its end: `alpine/` is below it. */
  readonly apkMirror?: string
  /** As `GOPROXY` and `GOSUMDB`. */
  readonly goProxy?: string
  readonly goSumdb?: string
  /** As `PIP_INDEX_URL`. */
  readonly pipIndex?: string
  readonly gemSource?: string
  readonly proxies: ProxySettings
  /** Those of the docker client's configuration, which build steps get when `proxies` names none. */
  readonly clientProxies?: ProxySettings
  /** PEM blocks that are trusted in addition to the public authorities. */
  readonly certificates?: string
  readonly direct: DirectPermissions
  /** Whether everything without a mirror, proxy or permission is refused. */
  readonly strict: boolean
}
