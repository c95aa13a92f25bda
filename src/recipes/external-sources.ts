import {parseImageReference, type ImageReference} from '../network/images.js'
import {declarations, type Dockerfile, type Stage} from './dockerfile.js'
import type {DownloadKind} from './download.js'
import type {Tree} from './recipe.js'
import {imageState, walkStage, type StageState, type StageVariables} from './stage-walk.js'
import {expandVariables} from './variables.js'

/** An image that a build starts from or copies from. */
export interface ImageSource {
  readonly image: ImageReference
  /** As the Dockerfile spells it, variables expanded. */
  readonly spelled: string
  /** Line of the Dockerfile. */
  readonly line: number
  /** As `FROM --platform` says; absent for that of the target. */
  readonly platform?: string
  /** Whether a step on top of it downloads. */
  readonly downloads: boolean
}

/** A repository or file that BuildKit itself fetches for an `ADD`. */
export interface AddSource {
  readonly kind: 'git' | 'http'
  readonly url: string
  readonly line: number
}

/** What a `RUN` step downloads. */
export interface StepDownload {
  readonly kind: DownloadKind
  /**
   * Without credentials. Of packages that only the image knows the host of, the path: `http://*\/debian`,
   * `http://*\/debian-security`, `http://*\/ubuntu`.
   */
  readonly url: string
  /** `Dockerfile`, or the script of the tree that downloads. */
  readonly file: string
  readonly line: number
  /** Line of the `RUN` in the Dockerfile. */
  readonly step: number
  /** The image at the bottom of the stage as spelled. */
  readonly baseImage: string
}

/** Everything from outside that building one target of a Dockerfile uses. */
export interface ExternalSources {
  readonly images: readonly ImageSource[]
  readonly adds: readonly AddSource[]
  readonly steps: readonly StepDownload[]
  /** Lines of the `RUN` steps that download nothing. */
  readonly quietSteps: readonly number[]
}

export interface BuildVariables {
  /** Build arguments by name. */
  readonly arguments: Readonly<Record<string, string>>
  /** The platform of the builder, such as `linux/amd64`. */
  readonly buildPlatform: string
  readonly targetPlatforms: readonly string[]
}

/**
 * What building `target` uses from outside, for every platform together, in the order of the Dockerfile. Stages that the
 * target does not need are left out; scripts of the tree that steps call are followed.
 */
export function externalSources(
  dockerfile: Dockerfile,
  target: string,
  variables: BuildVariables,
  tree: Tree
): ExternalSources {
  const images = new Map<string, ImageSource>()
  const adds = new Map<string, AddSource>()
  const steps = new Map<string, StepDownload>()
  const loud = new Map<number, boolean>()
  for (const platform of variables.targetPlatforms) {
    const found = sourcesForPlatform(dockerfile, target, stageVariables(dockerfile, platform, variables), tree)
    for (const source of found.images) {
      const known = images.get(source.spelled)
      // A `COPY --from` of the image has no platform of its own.
      const first = known?.platform === undefined ? source : known
      images.set(source.spelled, {...first, downloads: source.downloads || (known?.downloads ?? false)})
    }
    for (const add of found.adds) adds.set(add.url, add)
    for (const step of found.steps) steps.set(Object.values(step).join(' '), step)
    for (const [line, downloads] of found.runs) loud.set(line, downloads || (loud.get(line) ?? false))
  }
  const byLine = (one: {line: number}, other: {line: number}) => one.line - other.line
  return {
    images: [...images.values()].sort(byLine),
    adds: [...adds.values()].sort(byLine),
    steps: [...steps.values()].sort((one, other) => one.step - other.step),
    quietSteps: [...loud].flatMap(([line, downloads]) => (downloads ? [] : [line])).sort((one, other) => one - other)
  }
}

interface PlatformSources {
  readonly images: ImageSource[]
  readonly adds: AddSource[]
  readonly steps: StepDownload[]
  /** Whether a step downloads, by its line. */
  readonly runs: Map<number, boolean>
}

function sourcesForPlatform(
  dockerfile: Dockerfile,
  target: string,
  variables: StageVariables,
  tree: Tree
): PlatformSources {
  const sources: PlatformSources = {images: [], adds: [], steps: [], runs: new Map()}
  const states = new Map<number, StageState>()
  const primed = new Set<string>()

  const visitStage = (index: number): StageState => {
    const known = states.get(index)
    const stage = dockerfile.stages[index]
    if (known !== undefined) return known
    if (stage === undefined) return imageState('')
    const base = expandVariables(stage.base, variables.globals)
    const start = visit(base, stage.line, index, platformOf(stage, variables)) ?? imageState(base)
    const {references, adds, runs, end} = walkStage(stage, start, variables, tree)
    for (const {name, line} of references) visit(name, line, index)
    for (const {url, line} of adds) sources.adds.push({kind: isGitUrl(url) ? 'git' : 'http', url, line})
    for (const {line, downloads} of runs) {
      sources.runs.set(line, downloads.length > 0)
      if (downloads.length > 0) primed.add(start.baseImage)
      for (const {url, ...download} of downloads) {
        if (url !== undefined) sources.steps.push({...download, url, step: line, baseImage: start.baseImage})
      }
    }
    states.set(index, end)
    return end
  }
  /** The stage that a name means before the stage `before`; of an image nothing but that it is used. */
  const visit = (name: string, line: number, before: number, platform?: string): StageState | undefined => {
    const index = findStage(dockerfile, name, before)
    if (index >= 0) return visitStage(index)
    if (name !== '' && name !== 'scratch' && name !== 'context') {
      sources.images.push({
        image: parseImageReference(name),
        spelled: name,
        line,
        downloads: false,
        ...(platform === undefined ? {} : {platform})
      })
    }
    return undefined
  }

  const index = findStage(dockerfile, target, dockerfile.stages.length)
  if (index >= 0) visitStage(index)
  const images = sources.images.map(image => ({...image, downloads: primed.has(image.spelled)}))
  return {...sources, images}
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

/** BuildKit's rule for what `ADD` clones instead of downloading (util/gitutil/git_url.go, frontend/dockerfile/dfgitutil). */
function isGitUrl(url: string): boolean {
  return /^(git|ssh):\/\/|^git@/.test(url) || /\.git([?#]|$)/.test(url)
}
