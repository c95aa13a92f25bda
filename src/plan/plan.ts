import type {PlannedBuilder} from '../engine/choose-builder.js'
import type {RoutedEndpoint} from '../network/endpoint.js'
import type {Frontend} from '../recipes/frontend.js'
import type {PlannedMounts} from '../cache/plan-mounts.js'
import type {PlannedReuse} from '../cache/reuse.js'

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

/** An entry of BuildKit's own cache format (`type=local`), below the run's work directory. */
export interface PlannedLayers {
  /** Of a new entry; unlike any other, so that it can replace one that turned out to be damaged. */
  readonly key: string
  /** The beginning of the keys of entries that hold just what this build needs. */
  readonly content: string
  /** Beginnings of keys of entries that help, best first: `content`, then older ones. */
  readonly prefixes: readonly string[]
  /** Where the entry is restored to. */
  readonly importDirectory: string
  /** Where BuildKit writes the new one. */
  readonly exportDirectory: string
}

/** How layers are exported after a build. */
export interface PlannedExport {
  readonly command: readonly string[]
  readonly workingDirectory: string
  /** Variables set for the command. */
  readonly environment: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
}

/** What is kept of a build between runs. */
export interface PlannedCaches {
  /** The last layers of this very build (`mode=min`), small: with them no step runs, and nothing else is restored. */
  readonly result?: PlannedLayers
  /**
   * The layers that other commits can use, too: those that do not depend on the tree. They are exported after the build.
   * Absent when the user keeps layers elsewhere with `cache-to`.
   */
  readonly layers?: PlannedLayers & PlannedExport
  /** The cache mounts of the compiling steps; absent with `cache: layers`. */
  readonly mounts?: PlannedMounts
  /** Lines of `cache-from` and `cache-to` that this builder and this environment can serve. */
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** The variables of the surroundings that those lines need besides `inheritedVariables`. */
  readonly variables: readonly string[]
  /** What of them was left out and why, and what else to know. */
  readonly notes: readonly string[]
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
  readonly caches: PlannedCaches
  readonly stamp: {readonly binary: 'dockerd' | 'docker'; readonly version: string; readonly commit: string}
}

/** What a run will do. Holds no secret; printable as it is. */
export interface Plan {
  readonly schema: 1
  readonly builder: PlannedBuilder
  readonly builds: readonly PlannedBuild[]
  /** With the input `reuse`: where the finished bundles of this very content are kept, or why that is not known. */
  readonly reuse?: PlannedReuse
  /** Everything from outside that the run uses, in the order it is needed. */
  readonly endpoints: readonly RoutedEndpoint[]
  readonly inheritedVariables: readonly string[]
  /** What the reader should know before the build starts. */
  readonly notes: readonly string[]
}
