import {parseImageReference, type ImageReference} from '../network/images.js'
import type {Dockerfile} from './dockerfile.js'
import type {DownloadKind} from './download.js'
import {neededStages, type BuildVariables, type NeededStages} from './needed-stages.js'
import type {Tree} from './recipe.js'

/** An image that a build starts from or copies from. */
export interface ImageSource {
  readonly image: ImageReference
  /** As the Dockerfile spells it, variables expanded. */
  readonly spelled: string
  /** Line of the Dockerfile. */
  readonly line: number
  /** Lines of the `FROM`s that name it and never a stage, on whatever platform. */
  readonly bases: readonly number[]
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
  const onStages = new Set<number | undefined>()
  for (const platform of variables.targetPlatforms) {
    const needed = neededStages(dockerfile, target, platform, variables, tree)
    for (const {index, below} of needed.stages) if (below !== undefined) onStages.add(dockerfile.stages[index]?.line)
    const found = sourcesOf(needed)
    for (const source of found.images) {
      const known = images.get(source.spelled) ?? source
      images.set(source.spelled, {
        ...known,
        line: Math.min(known.line, source.line),
        bases: [...new Set([...known.bases, ...source.bases])],
        downloads: source.downloads || known.downloads
      })
    }
    for (const add of found.adds) adds.set(add.url, add)
    for (const step of found.steps) steps.set(Object.values(step).join(' '), step)
    for (const [line, downloads] of found.runs) loud.set(line, downloads || (loud.get(line) ?? false))
  }
  const byLine = (one: {line: number}, other: {line: number}) => one.line - other.line
  return {
    images: [...images.values()]
      .map(image => ({...image, bases: image.bases.filter(line => !onStages.has(line))}))
      .sort(byLine),
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

function sourcesOf({stages, images}: NeededStages): PlatformSources {
  const adds: AddSource[] = []
  const steps: StepDownload[] = []
  const runs = new Map<number, boolean>()
  const primed = new Set<string>()
  for (const {baseImage, walk} of stages) {
    for (const {url, line} of walk.adds) adds.push({kind: isGitUrl(url) ? 'git' : 'http', url, line})
    for (const {line, downloads} of walk.runs) {
      runs.set(line, downloads.length > 0)
      if (downloads.length > 0) primed.add(baseImage)
      for (const {url, ...download} of downloads) {
        if (url !== undefined) steps.push({...download, url, step: line, baseImage})
      }
    }
  }
  const named = images.map(({name, line, isBase}) => ({
    image: parseImageReference(name),
    spelled: name,
    line,
    bases: isBase ? [line] : [],
    downloads: primed.has(name)
  }))
  return {images: named, adds, steps, runs}
}

/** BuildKit's rule for what `ADD` clones instead of downloading (util/gitutil/git_url.go, frontend/dockerfile/dfgitutil). */
function isGitUrl(url: string): boolean {
  return /^(git|ssh):\/\/|^git@/.test(url) || /\.git([?#]|$)/.test(url)
}
