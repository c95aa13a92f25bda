import type {CacheStore, Clock, Commands, Files, Log} from '../ports.js'
import type {Ref} from './refs.js'
import type {RouteSettings} from './route.js'

/** A remote repository and the ways to it. */
export interface RemoteRequest extends RouteSettings {
  /** `owner/name`, a git URL or a path; may carry credentials. */
  readonly repository: string
  /** The GitHub server, for example `https://github.com`. */
  readonly serverUrl: string
  /** For this GitHub server only. */
  readonly token?: string
  /** Absolute: where relative paths start. */
  readonly workspace: string
  /** File with the certificate authorities that git shall trust, all of them. */
  readonly certificateFile?: string
  /** Further attempts after a network failure. */
  readonly retries: number
  /** The environment that git is given, before what is set for it here. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The inputs that messages name: `client-repository` and `client` for docker/cli. */
  readonly inputNames?: {readonly repository: string; readonly ref: string}
}

export interface SourceRequest extends RemoteRequest {
  /** Tag, branch, full ref or commit (7 digits or more). */
  readonly ref: string
  /** The commit that `ref` must be: 7 to 40 digits. */
  readonly commit?: string
  /** Absolute: where the checkout lands. */
  readonly directory: string
  readonly history: History
  /** Stamped instead of the version that follows from the ref. */
  readonly version?: string
  /** Prefix that separates caches; none when absent. */
  readonly cacheKey?: string
}

export type History = 'blobless' | 'full'

export interface SourcePorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly clock: Clock
  /** Waits; milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>
  /** Where git objects are kept between runs; absent when they are not. */
  readonly cache?: CacheStore
}

/** A checkout, and all that is said about it. */
export interface Source {
  /** As the user gave it, without credentials. */
  readonly repository: string
  /** Without credentials; the repository's own, whatever mirror it came from. */
  readonly url: string
  /** Absolute. */
  readonly directory: string
  readonly ref: Ref
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** 7 digits. */
  readonly shortCommit: string
  /** Committer time in seconds since the epoch. */
  readonly commitTime: number
  /** The commit in terms of daemon tags: `v28.5.2` or `v28.5.2-14-g89c5e8f`. */
  readonly describe: string
  readonly nearestTag?: string
  /** What to stamp. */
  readonly version: string
  readonly history: History
}
