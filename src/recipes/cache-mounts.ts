import {posix} from 'node:path'
import type {Dockerfile} from './dockerfile.js'
import {neededStages, type BuildVariables, type NeededStage} from './needed-stages.js'
import type {StageRun} from './stage-walk.js'

/** What a cache mount holds, judged by where it is mounted. */
export type CacheMountKind = 'compiler' | 'modules' | 'packages' | 'other'

/** A directory that the builder keeps between the runs of steps (docs.docker.com/reference/dockerfile, RUN --mount=type=cache). */
export interface CacheMount {
  /** The platform that is built. */
  readonly platform: string
  /** What the builder knows it by, together with `owner` and `from`. */
  readonly id: string
  /** Absolute path inside the step. */
  readonly target: string
  readonly sharing: 'shared' | 'private' | 'locked'
  /** `uid=…`, `gid=…` and `mode=…` as spelled: a directory with other ones is another directory. */
  readonly owner: readonly string[]
  /** Image or stage that it begins with. */
  readonly from?: string
  readonly kind: CacheMountKind
  /** The image at the bottom of the stage as spelled. */
  readonly image: string
  /** Line of the `RUN`. */
  readonly line: number
}

/**
 * The cache mounts of every step that building `target` takes, by platform and then in the order of the Dockerfile. A
 * directory that several steps mount is there for each of them.
 */
export function cacheMounts(dockerfile: Dockerfile, target: string, variables: BuildVariables): readonly CacheMount[] {
  return variables.targetPlatforms.flatMap(platform =>
    neededStages(dockerfile, target, platform, variables, {})
      .stages.flatMap(stage => stage.walk.runs.flatMap(run => mountsOf(run, stage, platform)))
      .sort((one, other) => one.line - other.line)
  )
}

function mountsOf(run: StageRun, stage: NeededStage, platform: string): CacheMount[] {
  return run.mounts.flatMap(mount => {
    const fields = new Map<string, string>()
    for (const field of mount.split(',')) {
      const [name = '', ...value] = field.split('=')
      fields.set(aliases.get(name.toLowerCase()) ?? name.toLowerCase(), value.join('='))
    }
    const spelled = fields.get('target')
    if (fields.get('type')?.toLowerCase() !== 'cache' || spelled === undefined) return []
    const target = posix.resolve('/', run.directory, spelled)
    const from = fields.get('from')
    const id = fields.get('id') ?? ''
    const source = fields.get('source')
    return {
      platform,
      // frontend/dockerfile/dockerfile2llb/convert_runmount.go@v0.32.2: not resolved against the working directory.
      id: id === '' ? posix.normalize(spelled).replace(/(.)\/$/, '$1') : id,
      target,
      sharing: sharingOf(fields.get('sharing')),
      owner: ['uid', 'gid', 'mode'].flatMap(name => (fields.has(name) ? [`${name}=${fields.get(name) ?? ''}`] : [])),
      // A part of nothing is as strange as a part of something.
      ...((from ?? source) === undefined ? {} : {from: from ?? ''}),
      kind: kindOf(target, stage.walk.end.environment),
      image: stage.baseImage,
      line: run.line
    }
  })
}

const aliases: ReadonlyMap<string, string> = new Map([
  ['dst', 'target'],
  ['destination', 'target'],
  ['src', 'source']
])

function sharingOf(value: string | undefined): CacheMount['sharing'] {
  const sharing = value?.toLowerCase()
  return sharing === 'private' || sharing === 'locked' ? sharing : 'shared'
}

/** Go's two caches are below these by default (`go help cache`, `go help environment`). */
function kindOf(target: string, environment: ReadonlyMap<string, string>): CacheMountKind {
  // docker/cli keeps all of ~/.cache, of which Go's is all there is.
  if (target === environment.get('GOCACHE') || /\/\.cache(\/go-build)?$/.test(target)) return 'compiler'
  if (target === environment.get('GOMODCACHE') || target.endsWith('/go/pkg/mod')) return 'modules'
  return /^\/var\/(cache|lib)\/apt(\/|$)|^\/(etc|var\/cache)\/apk$/.test(target) ? 'packages' : 'other'
}
