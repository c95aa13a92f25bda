import type {PlannedBuilder} from '../engine/choose-builder.js'
import type {RoutedEndpoint} from '../network/endpoint.js'
import type {Frontend} from '../recipes/frontend.js'

/** A tree to build, as far as the plan is concerned. */
export interface PlannedSource {
  /** As the user named it, without credentials. */
  readonly repository: string
  /** Its URL or path, without credentials. */
  readonly url: string
  /** The checkout. */
  readonly directory: string
  readonly ref: {readonly kind: string; readonly name: string; readonly fullName: string}
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** The first seven of them. */
  readonly shortCommit: string
  /** Seconds since the epoch. */
  readonly commitTime: number
  readonly describe: string
  readonly version: string
  readonly history: 'blobless' | 'full'
}

/** A file written outside the tree for a build. */
export interface PlannedFile {
  readonly path: string
  readonly content: string
}

export interface PlannedCache {
  readonly key: string
  /** Beginnings of keys of older entries that still help, best first. */
  readonly prefixes: readonly string[]
  readonly importDirectory: string
  readonly exportDirectory: string
}

/** Everything that building one tree takes, decided. */
export interface PlannedBuild {
  readonly component: 'daemon' | 'client'
  readonly bundle: 'binary-daemon' | 'binary-client'
  readonly recipe: string
  readonly source: PlannedSource
  readonly frontend: Frontend
  /** Platforms that were asked for; empty means the builder's own. */
  readonly platforms: readonly string[]
  readonly command: readonly string[]
  readonly workingDirectory: string
  /** Variables set for the command. Of the others it inherits only `inheritedVariables`. */
  readonly environment: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
  /** Whether the steps get the proxies as build secrets; otherwise they are build arguments. */
  readonly proxySecrets: boolean
  /** Where the build leaves its binaries. */
  readonly exportDirectory: string
  readonly cache?: PlannedCache
  readonly stamp: {readonly binary: 'dockerd' | 'docker'; readonly version: string; readonly commit: string}
}

/** What a run will do. Holds no secret; printable as it is. */
export interface Plan {
  readonly schema: 1
  readonly builder: PlannedBuilder
  readonly builds: readonly PlannedBuild[]
  /** Everything from outside that the run uses, in the order it is needed. */
  readonly endpoints: readonly RoutedEndpoint[]
  readonly inheritedVariables: readonly string[]
  /** What the reader should know before the build starts. */
  readonly notes: readonly string[]
}
