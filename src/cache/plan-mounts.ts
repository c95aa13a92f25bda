import {join} from 'node:path'
import {nativePlatform} from '../engine/platforms.js'
import {cacheMounts, type CacheMount} from '../recipes/cache-mounts.js'
import {parseDockerfile} from '../recipes/dockerfile.js'
import type {InventoriedComponent} from '../plan/inventory.js'
import type {BuildSettings} from '../plan/plan-build.js'
import type {PlannedFile} from '../plan/plan.js'
import {keyFamily, platformsPart, releaseLine} from './keys.js'

/** A cache mount that is kept between runs. */
export interface PlannedMount {
  readonly id: string
  readonly kind: 'compiler' | 'modules'
  readonly sharing: 'shared' | 'private' | 'locked'
  /** `uid=…`, `gid=…` and `mode=…`, which are part of what the builder knows the mount by. */
  readonly owner: readonly string[]
}

/** The cache mounts on one node of the builder. */
export interface MountGroup {
  /** The platform that the node builds for, where it was asked for. */
  readonly platform?: string
  readonly mounts: readonly PlannedMount[]
}

/** The cache mounts of a build that are kept between runs, and how. */
export interface PlannedMounts {
  /** Beginnings of keys of entries that help, best first. */
  readonly prefixes: readonly string[]
  /** Beginning of the keys of entries of this very commit. */
  readonly keyPrefix: string
  readonly groups: readonly MountGroup[]
  /** Cache mounts that are not kept. */
  readonly left: readonly {readonly target: string; readonly why: string}[]
  /** The image whose tar moves the files: one that the build itself starts from. */
  readonly image: string
  /** Its platform, such as `linux/amd64`. */
  readonly imagePlatform: string
  /** Variables for the commands that move them, and the files that these name. */
  readonly environment: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
  /** Where entries and files of the commands are. */
  readonly directory: string
}

/**
 * Chooses the cache mounts of a component that are worth keeping: those of Go's compiler and modules. Undefined when there
 * are none. `route` leads the image's download as that of the build itself: variables, and the files that these name.
 */
export function planMounts(
  {component, source, treeBuild}: InventoriedComponent,
  {inputs, engine, builder, workDirectory}: BuildSettings,
  route: Pick<PlannedMounts, 'environment' | 'files'>
): PlannedMounts | undefined {
  const native = nativePlatform(engine)
  const targetPlatforms = inputs.platforms.length === 0 ? [native] : inputs.platforms
  const all = cacheMounts(parseDockerfile(treeBuild.dockerfile), treeBuild.stage, {
    arguments: treeBuild.arguments,
    buildPlatform: native,
    targetPlatforms
  })
  const kept = all.filter(mount => whyLeft(mount) === undefined)
  const compiling = kept.filter(({kind}) => kind === 'compiler')
  // The last step is the one that compiles the tree itself.
  const image = (compiling.at(-1) ?? kept.at(-1))?.image
  if (image === undefined) return undefined
  // A compiler's files are worthless to another compiler, so they are not even looked for.
  const toolchain = [...new Set((compiling.length === 0 ? kept : compiling).map(mount => mount.image))].sort()
  const target = component === 'daemon' ? inputs.target : treeBuild.stage
  const family = keyFamily('mounts', inputs.cacheKey, [
    component,
    platformsPart(targetPlatforms),
    target,
    toolchain.join('+')
  ])
  const line = releaseLine(source.version)
  const left = all.flatMap(mount => {
    const why = whyLeft(mount)
    return why === undefined ? [] : [{target: mount.target, why}]
  })
  return {
    prefixes: [`${family}${line}-`, family],
    keyPrefix: `${family}${line}-${source.shortCommit}-`,
    groups: groupsOf(kept, inputs.platforms, builder.kind === 'created' || builder.driver === 'docker'),
    left: left.filter(({target}, index) => left.findIndex(other => other.target === target) === index),
    image,
    imagePlatform: native,
    ...route,
    directory: join(workDirectory, component, 'mounts')
  }
}

/** Why a mount stays where it is; undefined for one that is kept. */
function whyLeft({kind, from, id, owner, image}: CacheMount): string | undefined {
  if (kind === 'packages') return 'the layers of its steps are kept instead'
  if (kind === 'other') return 'neither of the compiler nor of its modules'
  if (from !== undefined) return 'it begins with the content of another stage or image'
  if (image === 'scratch') return 'nothing in its stage could move it'
  // What would have to be quoted in a Dockerfile.
  return [id, ...owner].every(text => /^[\w./:@+=~-]+$/.test(text)) ? undefined : `unusual characters in ${id}`
}

/**
 * Where several nodes may build, each platform's mounts are asked for by that platform, which leads buildx to the same
 * node as the build. One that several steps or platforms share on a node is there once.
 */
function groupsOf(mounts: readonly CacheMount[], platforms: readonly string[], oneNode: boolean): MountGroup[] {
  if (platforms.length === 0 || (oneNode && platforms.length > 1)) return [{mounts: distinct(mounts)}]
  return platforms
    .map(platform => ({platform, mounts: distinct(mounts.filter(mount => mount.platform === platform))}))
    .filter(group => group.mounts.length > 0)
}

function distinct(mounts: readonly CacheMount[]): PlannedMount[] {
  const found = new Map<string, PlannedMount>()
  for (const {id, kind, sharing, owner} of mounts) {
    const key = [id, ...owner].join(' ')
    if ((kind === 'compiler' || kind === 'modules') && !found.has(key)) found.set(key, {id, kind, sharing, owner})
  }
  return [...found.values()]
}
