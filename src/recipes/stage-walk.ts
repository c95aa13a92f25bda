import {declarations, type Instruction, type Stage} from './dockerfile.js'
import type {DownloadKind} from './download.js'
import type {Tree} from './recipe.js'
import {inDirectory} from './script-frame.js'
import {followScript} from './script-run.js'
import {downloadsOf} from './step-downloads.js'
import {boundParts, copiedParts, isInTree, scriptAt, type TreeCopy} from './tree-copies.js'
import {expandVariables, type Lookup} from './variables.js'

/** What a stage hands on to those built on it. */
export interface StageState {
  /** The image at the bottom as spelled. */
  readonly baseImage: string
  readonly environment: ReadonlyMap<string, string>
  readonly arguments: ReadonlyMap<string, string>
  readonly directory: string
  /** The latest last. */
  readonly copies: readonly TreeCopy[]
  /** Remotes of git repositories, by directory and name. */
  readonly remotes: ReadonlyMap<string, string>
  readonly aptSources: ReadonlySet<string>
  /** Installed packages, each after the program that did. */
  readonly packages: ReadonlySet<string>
}

/** The values from outside a stage. */
export interface StageVariables {
  /** The global ones, which a stage has after it declares them. */
  readonly globals: Lookup
  /** The build arguments, which replace defaults. */
  readonly given: Lookup
  readonly platform: Lookup
}

/** What a stage uses, in the order of its instructions. */
export interface StageWalk {
  /** Stages and images named by `COPY --from`, `ADD --from` and `RUN --mount=…,from=`. */
  readonly references: readonly {readonly name: string; readonly line: number}[]
  /** URLs that an `ADD` fetches. */
  readonly adds: readonly {readonly url: string; readonly line: number}[]
  readonly runs: readonly StageRun[]
  readonly end: StageState
}

/** A `RUN`. */
export interface StageRun {
  readonly line: number
  readonly downloads: readonly PlacedDownload[]
  /** Values of its `--mount` flags, variables expanded. */
  readonly mounts: readonly string[]
  /** The working directory. */
  readonly directory: string
}

interface PlacedDownload {
  readonly kind: DownloadKind
  /** Undefined where only the running step knows it. */
  readonly url: string | undefined
  readonly file: string
  readonly line: number
}

/** How a stage begins that is built on an image. */
export function imageState(baseImage: string): StageState {
  // Go's image sets GOPATH and begins there (docker-library/golang, Dockerfile-linux.template).
  const isGo = /(^|\/)golang([:@]|$)/.test(baseImage)
  return {
    baseImage,
    environment: new Map(isGo ? [['GOPATH', '/go']] : []),
    arguments: new Map(),
    directory: isGo ? '/go' : '/',
    copies: [],
    remotes: new Map(),
    aptSources: new Set(),
    packages: new Set()
  }
}

/** Goes through the instructions of a stage as a build does. */
export function walkStage(stage: Stage, start: StageState, variables: StageVariables, tree: Tree): StageWalk {
  const environment = new Map(start.environment)
  const stageArguments = new Map(start.arguments)
  const copies = [...start.copies]
  const remotes = new Map(start.remotes)
  const aptSources = new Set(start.aptSources)
  const packages = new Set(start.packages)
  let directory = start.directory
  // ENV wins over ARG (docs.docker.com/reference/dockerfile, ARG).
  const lookup = (name: string) => environment.get(name) ?? stageArguments.get(name) ?? variables.platform(name)

  const declare = (step: Instruction) => {
    for (const {name, value} of declarations(step)) {
      const own = value === undefined ? variables.globals(name) : expandVariables(value, lookup)
      if (step.keyword === 'ENV') environment.set(name, own ?? '')
      // Without a value it is empty for the shell.
      else stageArguments.set(name, variables.given(name) ?? own ?? stageArguments.get(name) ?? '')
    }
  }
  const downloads = (step: Instruction): PlacedDownload[] => {
    const found: PlacedDownload[] = []
    const parts = [...copies, ...boundParts(step, directory, lookup)]
    const surroundings = {
      baseImage: start.baseImage,
      keepsModules: step.flags.some(({name, value}) => name === 'mount' && /\/go\/pkg\/mod\b/.test(value)),
      isTree: (path: string) => isInTree(path, parts),
      remotes,
      aptSources,
      packages,
      platform: variables.platform
    }
    followScript(scriptOf(step), {
      variables: new Map([...stageArguments, ...environment]),
      directory,
      file: 'Dockerfile',
      line: step.line,
      scriptAt: path => scriptAt(path, parts, tree),
      onCall: call => {
        const {file, line} = call
        for (const download of downloadsOf(call, surroundings)) found.push({...download, file, line})
      }
    })
    return step.flags.some(({name, value}) => name === 'network' && value === 'none') ? [] : found
  }

  // Other than the shell of a step, a flag knows only what the stage declares, the platforms included.
  const declared = (name: string) => environment.get(name) ?? stageArguments.get(name)
  const mounts = ({flags}: Instruction) =>
    flags.filter(({name}) => name === 'mount').map(({value}) => expandVariables(value, declared))

  const references: {name: string; line: number}[] = []
  const adds: {url: string; line: number}[] = []
  const runs: StageRun[] = []
  for (const step of stage.instructions) {
    const {keyword, line} = step
    if (keyword === 'ARG' || keyword === 'ENV') declare(step)
    references.push(...sourceNames(step).map(name => ({name: expandVariables(name, lookup), line})))
    if (keyword === 'WORKDIR') directory = inDirectory(directory, expandVariables(step.text, lookup))
    if (keyword === 'COPY' || keyword === 'ADD') copies.push(...copiedParts(step, directory, lookup))
    if (keyword === 'ADD') adds.push(...remoteFiles(step, lookup).map(url => ({url, line})))
    if (keyword === 'RUN') runs.push({line, downloads: downloads(step), mounts: mounts(step), directory})
  }
  const end = {...start, environment, arguments: stageArguments, directory, copies, remotes, aptSources, packages}
  return {references, adds, runs, end}
}

function sourceNames(step: Instruction): string[] {
  return step.flags.flatMap(({name, value}) => {
    if (name === 'from') return [value]
    const from = name === 'mount' ? /(?:^|,)from=([^,]+)/.exec(value)?.[1] : undefined
    return from === undefined ? [] : [from]
  })
}

function remoteFiles(step: Instruction, lookup: Lookup): string[] {
  const words = step.text.split(/\s+/).slice(0, -1)
  return words.map(word => expandVariables(word, lookup)).filter(word => /^(https?|git|ssh):\/\/|^git@/.test(word))
}

/** What the shell of a `RUN` runs: its words, or the here-document that takes their place. */
function scriptOf({text, heredocs}: Instruction): string {
  const [script = ''] = heredocs
  if (/^<<-?\S+\s*$/.test(text)) return script
  // `sh <<EOT` reads the here-document as its script.
  if (/^\S*sh\s+(-\w+\s+)*<<-?\S+\s*$/.test(text)) return script
  return (
    execForm(text)
      ?.map(word => `'${word.replaceAll("'", "'\\''")}'`)
      .join(' ') ?? text
  )
}

/** The words of `RUN ["program", "word"]`; what is no JSON is for the shell (docs.docker.com/reference/dockerfile). */
function execForm(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) ? words.map(String) : undefined
  } catch {
    return undefined
  }
}
