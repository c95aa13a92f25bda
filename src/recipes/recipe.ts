import {ConfigurationError} from '../errors.js'

/** The text files of a checkout that recipes look at, by path; a file that is not there is absent. */
export type Tree = Readonly<Record<string, string | undefined>>

/** The paths that a `Tree` holds when they exist. */
export const treePaths = ['docker-bake.hcl', 'Dockerfile', '.dockerignore', 'scripts/build/.variables'] as const

/**
 * The directories below which a `Tree` holds every script in addition: what the `RUN` steps of any era call is there
 * (moby's hack, contrib, and project in v1.4 and v1.5; docker/cli's scripts).
 */
export const treeDirectories = ['hack', 'project', 'scripts', 'contrib'] as const

/**
 * Whether a path may be a shell script, judged by its name: the trees' scripts have no extension, or one of `.sh`, `.bash`
 * and `.installer`; some are hidden files (`hack/make/.binary`).
 */
export function isScript(path: string): boolean {
  return /(^|\/)(?!(Dockerfile|LICENSE|REVIEWERS)$)\.?[^./]+(\.(sh|bash|installer))?$/.test(path)
}

/** What is built, independent of the tree. */
export interface BuildOrder {
  readonly target: 'binary' | 'dynbinary' | 'all'
  readonly version: string
  /** Seven digits. */
  readonly shortCommit: string
  /** Seconds since the epoch. */
  readonly commitTime: number
  readonly product?: string
  readonly platformName?: string
  readonly packagerName?: string
  readonly buildArguments: Readonly<Record<string, string>>
}

/** How a tree of one era is built: by which bake target, with what put in from outside. */
export interface TreeBuild {
  readonly bakeTarget: string
  /** The stage of the Dockerfile that the bake target builds. */
  readonly stage: string
  /** The tree's own, but for arguments that are declared in addition. */
  readonly dockerfile: string
  readonly dockerignore: string
  readonly arguments: Readonly<Record<string, string>>
  /** The variables, build arguments or not, whose values change with each commit: no step that sees one serves another. */
  readonly commitVariables: readonly string[]
  /** The program that must report the stamp. */
  readonly stampedBinary: 'dockerd' | 'docker'
}

/** One family of trees. */
export interface Recipe {
  readonly name: string
  /** What the family is, for people. */
  readonly covers: string
  /** Whether the tree belongs to the family, judged by content and never by version. */
  recognises(tree: Tree): boolean
  plan(tree: Tree, order: BuildOrder): TreeBuild
}

/**
 * The recipe for a tree.
 *
 * @throws ConfigurationError when no recipe knows it; `what` names the tree and `input` the input to change.
 */
export function recipeFor(tree: Tree, recipes: readonly Recipe[], what: string, input: string): Recipe {
  const recipe = recipes.find(candidate => candidate.recognises(tree))
  if (recipe !== undefined) return recipe
  const covered = recipes.map(({covers}) => covers).join('; ')
  throw new ConfigurationError(
    `${what} is a tree that no recipe recognises. Covered are: ${covered}. Choose another ref with '${input}'.`
  )
}

/**
 * The Dockerfile with further arguments, `NAME` or `NAME=default`, declared wherever `ARG VERSION` stands: variables that
 * the tree's scripts read, but that its Dockerfile lets nobody set. Declared there, they touch the compiling step and no
 * cached layer below it. Lines keep their numbers.
 */
export function declareArguments(dockerfile: string, declarations: readonly string[]): string {
  return dockerfile.replace(/^(ARG VERSION)[ \t]*$/gm, `$1 ${declarations.join(' ')}`)
}

/**
 * The declaration of SOURCE_DATE_EPOCH for `declareArguments`, in seconds since the epoch. It is a default because BuildKit
 * puts the value of a build argument of this name into the cache key of every `WORKDIR`, so that no layer after one would
 * serve another commit (moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go, dispatchWorkdir).
 */
export function buildTime(commitTime: number): string {
  return `SOURCE_DATE_EPOCH=${commitTime}`
}
