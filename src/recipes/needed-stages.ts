import {declarations, type Dockerfile, type Stage} from './dockerfile.js'
import type {Tree} from './recipe.js'
import {imageState, walkStage, type StageState, type StageVariables, type StageWalk} from './stage-walk.js'
import {expandVariables} from './variables.js'

/** The values that a build gives to a Dockerfile. */
export interface BuildVariables {
  /** Build arguments by name. */
  readonly arguments: Readonly<Record<string, string>>
  /** The platform of the builder, such as `linux/amd64`. */
  readonly buildPlatform: string
  readonly targetPlatforms: readonly string[]
}

/** A stage that a target needs, with what it does. */
export interface NeededStage {
  /** Among all stages of the Dockerfile. */
  readonly index: number
  /** Index of the stage that it is built on; absent for an image. */
  readonly below?: number
  /** What its instructions copy from and mount, in their order; `stage` is absent for an image. */
  readonly uses: readonly {readonly name: string; readonly line: number; readonly stage?: number}[]
  /** The image at the bottom as spelled, variables expanded. */
  readonly baseImage: string
  /** Of that image, as its `FROM --platform` says; absent for that of the target. */
  readonly platform?: string
  readonly walk: StageWalk
}

/** An image that is built on or copied from. */
export interface NamedImage {
  /** As spelled, variables expanded. */
  readonly name: string
  readonly line: number
  /** Whether it is named by a `FROM`. */
  readonly isBase: boolean
}

/** What building a target goes through, in the order of a build: what a stage is built on or copies from comes before it. */
export interface NeededStages {
  readonly stages: readonly NeededStage[]
  readonly images: readonly NamedImage[]
}

/** Follows `FROM`, `COPY --from`, `ADD --from` and mounts from the stage `target`, for one platform. */
export function neededStages(
  dockerfile: Dockerfile,
  target: string,
  platform: string,
  variables: BuildVariables,
  tree: Tree
): NeededStages {
  const values = stageVariables(dockerfile, platform, variables)
  const stages: NeededStage[] = []
  const images: NamedImage[] = []
  const visited = new Map<number, Visited>()

  const visitStage = (index: number): Visited => {
    const known = visited.get(index)
    const stage = dockerfile.stages[index]
    if (known !== undefined) return known
    if (stage === undefined) return {end: imageState('')}
    const base = expandVariables(stage.base, values.globals)
    const own = platformOf(stage, values)
    const below = visit(base, stage.line, index, true) ?? {end: imageState(base), ...onPlatform(own)}
    const walk = walkStage(stage, below.end, values, tree)
    const bottom = onPlatform(below.platform)
    const uses = walk.references.map(({name, line}) => ({name, line, ...onStage(visit(name, line, index, false))}))
    const {stage: lower} = onStage(below)
    const belowIt = lower === undefined ? {} : {below: lower}
    stages.push({index, ...belowIt, uses, baseImage: walk.end.baseImage, ...bottom, walk})
    const result = {index, end: walk.end, ...bottom}
    visited.set(index, result)
    return result
  }
  /** The stage that a name means before the stage `before`; of an image nothing but that it is used. */
  const visit = (name: string, line: number, before: number, isBase: boolean): Visited | undefined => {
    const index = findStage(dockerfile, name, before)
    if (index >= 0) return visitStage(index)
    if (name !== '' && name !== 'scratch' && name !== 'context') images.push({name, line, isBase})
    return undefined
  }

  const index = findStage(dockerfile, target, dockerfile.stages.length)
  if (index >= 0) visitStage(index)
  return {stages, images}
}

interface Visited {
  /** Absent for an image. */
  readonly index?: number
  readonly end: StageState
  readonly platform?: string
}

function onStage(visited: Visited | undefined): {stage?: number} {
  return visited?.index === undefined ? {} : {stage: visited.index}
}

function onPlatform(platform: string | undefined): {platform?: string} {
  return platform === undefined ? {} : {platform}
}

// BuildKit fills the platforms in, for each platform that is built.
function platformOf({platform}: Stage, {globals}: StageVariables): string | undefined {
  if (platform === undefined || /^\$\{?(BUILD|TARGET)PLATFORM\}?$/.test(platform)) return platform
  return expandVariables(platform, globals)
}

function stageVariables(dockerfile: Dockerfile, platform: string, variables: BuildVariables): StageVariables {
  const platformValues = {
    ...platformVariables('TARGET', platform),
    ...platformVariables('BUILD', variables.buildPlatform)
  }
  const values: Record<string, string> = {...platformValues}
  const globals = (name: string) => values[name]
  const given = (name: string) => variables.arguments[name]
  for (const {name, value} of dockerfile.globals.flatMap(declarations)) {
    const resolved = given(name) ?? (value === undefined ? values[name] : expandVariables(value, globals))
    if (resolved !== undefined) values[name] = resolved
  }
  return {globals, given, platform: name => platformValues[name]}
}

/** Index of the stage a name or number means, among the stages before `before`; -1 for none. */
function findStage(dockerfile: Dockerfile, name: string, before: number): number {
  if (/^\d+$/.test(name)) return Number(name) < before ? Number(name) : -1
  const stages = dockerfile.stages.slice(0, before)
  return stages.findLastIndex(stage => stage.name === name.toLowerCase())
}

function platformVariables(prefix: 'BUILD' | 'TARGET', platform: string): Record<string, string> {
  const [os = '', architecture = '', variant = ''] = platform.split('/')
  return {
    [`${prefix}PLATFORM`]: platform,
    [`${prefix}OS`]: os,
    [`${prefix}ARCH`]: architecture,
    [`${prefix}VARIANT`]: variant
  }
}
