import {parseImageReference, type ImageReference} from '../network/images.js'
import {shellWords, type Dockerfile, type Instruction, type Stage} from './dockerfile.js'
import {expandVariables, type Lookup} from './variables.js'

/** An image that a build starts from or copies from. */
export interface ImageSource {
  readonly image: ImageReference
  /** As the Dockerfile spells it, variables expanded. */
  readonly spelled: string
  /** Line of the Dockerfile. */
  readonly line: number
  /** Whether a step that may download something runs on top of it. */
  readonly downloads: boolean
}

/** A repository or file that BuildKit itself fetches for an `ADD`. */
export interface AddSource {
  readonly kind: 'git' | 'http'
  readonly url: string
  readonly line: number
}

/** Everything from outside that building one target of a Dockerfile uses, apart from what its `RUN` steps download. */
export interface ExternalSources {
  readonly images: readonly ImageSource[]
  readonly adds: readonly AddSource[]
}

export interface BuildVariables {
  /** Build arguments by name. */
  readonly arguments: Readonly<Record<string, string>>
  /** The platform of the builder, such as `linux/amd64`. */
  readonly buildPlatform: string
  readonly targetPlatforms: readonly string[]
}

// Programs that download; a step without any of them needs no route.
const downloaders = /\b(apt|apt-get|xx-apt|xx-apt-get|apk|xx-apk|git|go|xx-go|curl|wget|pip3?|gem|make)\b/

/** What building `target` uses from outside, for every platform together, in the order of the Dockerfile. */
export function externalSources(dockerfile: Dockerfile, target: string, variables: BuildVariables): ExternalSources {
  const images = new Map<string, ImageSource>()
  const adds = new Map<string, AddSource>()
  for (const platform of variables.targetPlatforms) {
    for (const source of sourcesForPlatform(dockerfile, target, platform, variables)) {
      if ('image' in source) {
        const known = images.get(source.spelled)
        images.set(source.spelled, {...source, downloads: source.downloads || (known?.downloads ?? false)})
      } else adds.set(source.url, source)
    }
  }
  const byLine = (one: {line: number}, other: {line: number}) => one.line - other.line
  return {images: [...images.values()].sort(byLine), adds: [...adds.values()].sort(byLine)}
}

function sourcesForPlatform(
  dockerfile: Dockerfile,
  target: string,
  platform: string,
  variables: BuildVariables
): (ImageSource | AddSource)[] {
  const globals = globalScope(dockerfile, platform, variables)
  const sources: (ImageSource | AddSource)[] = []
  const visited = new Map<Stage, boolean>()

  // `downloading` says that a stage built on this one downloads: its base image is then the one to prime.
  const visit = (stage: Stage, before: number, downloading: boolean): void => {
    const seen = visited.get(stage)
    if (seen === true || seen === downloading) return
    visited.set(stage, downloading)
    const downloads =
      downloading || stage.instructions.some(step => step.keyword === 'RUN' && downloaders.test(wholeText(step)))
    visitSource(expandVariables(stage.base, globals.lookup), stage.line, before, downloads)
    for (const {name, line} of stageReferences(stage, globals)) visitSource(name, line, before, false)
    for (const {kind, url, line} of addedSources(stage, globals)) sources.push({kind, url, line})
  }
  const visitSource = (name: string, line: number, before: number, downloads: boolean): void => {
    const index = findStage(dockerfile, name, before)
    const stage = dockerfile.stages[index]
    if (stage !== undefined) visit(stage, index, downloads)
    else if (name !== '' && name !== 'scratch' && name !== 'context') {
      sources.push({image: parseImageReference(name), spelled: name, line, downloads})
    }
  }

  const index = findStage(dockerfile, target, dockerfile.stages.length)
  const stage = dockerfile.stages[index]
  if (stage !== undefined) visit(stage, index, false)
  return sources
}

interface Scope {
  readonly lookup: Lookup
  readonly arguments: Readonly<Record<string, string>>
  readonly platform: Readonly<Record<string, string>>
}

function globalScope(dockerfile: Dockerfile, platform: string, variables: BuildVariables): Scope {
  const platformValues = {
    ...platformVariables('TARGET', platform),
    ...platformVariables('BUILD', variables.buildPlatform)
  }
  const values: Record<string, string> = {...platformValues}
  const lookup = (name: string) => values[name]
  for (const {name, value} of dockerfile.globals.flatMap(declarations)) {
    const given = variables.arguments[name]
    const resolved = given ?? (value === undefined ? values[name] : expandVariables(value, lookup))
    if (resolved !== undefined) values[name] = resolved
  }
  return {lookup, arguments: variables.arguments, platform: platformValues}
}

/** Stages and images named by `COPY --from`, `ADD --from` and `RUN --mount=…,from=`. */
function stageReferences(stage: Stage, globals: Scope): {name: string; line: number}[] {
  return walkStage(stage, globals, (step, lookup) =>
    step.flags.flatMap(({name, value}) => {
      if (name === 'from') return [expandVariables(value, lookup)]
      const from = name === 'mount' ? /(?:^|,)from=([^,]+)/.exec(value)?.[1] : undefined
      return from === undefined ? [] : [expandVariables(from, lookup)]
    })
  ).map(({value, line}) => ({name: value, line}))
}

function addedSources(stage: Stage, globals: Scope): AddSource[] {
  return walkStage(stage, globals, (step, lookup) =>
    step.keyword === 'ADD'
      ? step.text
          .split(/\s+/)
          .slice(0, -1)
          .map(word => expandVariables(word, lookup))
          .filter(word => /^(https?|git|ssh):\/\/|^git@/.test(word))
      : []
  ).map(({value, line}) => ({kind: isGitUrl(value) ? 'git' : 'http', url: value, line}))
}

/** Collects from the steps of a stage, with the variables as they are at each step. */
function walkStage(
  stage: Stage,
  globals: Scope,
  collect: (step: Instruction, lookup: Lookup) => string[]
): {value: string; line: number}[] {
  const values: Record<string, string> = {}
  const lookup = (name: string) => values[name] ?? globals.platform[name]
  const found: {value: string; line: number}[] = []
  for (const step of stage.instructions) {
    for (const {name, value} of step.keyword === 'ARG' || step.keyword === 'ENV' ? declarations(step) : []) {
      const own = value === undefined ? globals.lookup(name) : expandVariables(value, lookup)
      const resolved = step.keyword === 'ARG' ? (globals.arguments[name] ?? own) : own
      if (resolved !== undefined) values[name] = resolved
    }
    for (const value of collect(step, lookup)) found.push({value, line: step.line})
  }
  return found
}

/** `ARG NAME`, `ARG NAME=value OTHER=value`, `ENV NAME=value`, `ENV NAME value`. */
function declarations(step: Instruction): {name: string; value: string | undefined}[] {
  const words = shellWords(step.text)
  const [first, ...rest] = words
  if (step.keyword === 'ENV' && first !== undefined && !first.includes('='))
    return [{name: first, value: rest.join(' ')}]
  return words.map(word => {
    const equals = word.indexOf('=')
    return equals < 0 ? {name: word, value: undefined} : {name: word.slice(0, equals), value: word.slice(equals + 1)}
  })
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

function wholeText(step: Instruction): string {
  return [step.text, ...step.heredocs].join('\n')
}
